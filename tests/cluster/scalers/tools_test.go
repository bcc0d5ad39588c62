package scalers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"forewarm.dev/tests/cluster/forewarm"
)

// deploy brings the scaler's manifest to the cluster: a floor of 0 leaves the line out, `note` is some other field. A
// deploy that fails fails the test.
type deploy func(floor int, note string)

// tool is one by which users deploy, and what it does to a line of the manifest that somebody else has changed.
type tool struct {
	// begin prepares a deploy of the scene's scaler.
	begin func(s *scene) deploy
	// keeps: what the line said stays when the line is deleted, as server-side apply has it.
	keeps bool
	// writesOnlyNews: of custom resources a line that is what it was is not written again.
	writesOnlyNews bool
}

var tools = map[string]tool{
	"helm 4":                      {begin: func(s *scene) deploy { return s.chart("helm") }, keeps: true},
	"helm 3":                      {begin: func(s *scene) deploy { return s.chart("helm3") }, writesOnlyNews: true},
	"kubectl apply":               {begin: func(s *scene) deploy { return s.applies() }},
	"kubectl apply --server-side": {begin: func(s *scene) deploy { return s.applies("--server-side") }, keeps: true},
	"flux": {begin: func(s *scene) deploy {
		return s.applies("--server-side", "--force-conflicts", "--field-manager=kustomize-controller")
	}, keeps: true},
}

// applies deploys by kubectl.
func (s *scene) applies(flags ...string) deploy {
	return func(floor int, note string) {
		s.Helper()
		manifest := s.manifest(s.namespace, name, floor).With("metadata.annotations", forewarm.Map{"note": note})
		if floor == 0 {
			manifest.With("spec."+s.field, nil)
		}
		arguments := append([]string{"apply", "--filename", "-"}, flags...)
		if _, err := s.k.Run(manifest.JSON(), "kubectl", arguments...); err != nil {
			s.Fatalf("a deploy failed: %v", err)
		}
	}
}

// chart deploys by a Helm, a release of one object.
func (s *scene) chart(helm string) deploy {
	s.Helper()
	manifest := s.manifest(s.namespace, name, 0).With("metadata.annotations", forewarm.Map{"note": "NOTE"}).
		With("spec."+s.field, "FLOOR").JSON()
	line := fmt.Sprintf(`%q:"FLOOR",`, s.field)
	manifest = strings.Replace(manifest, line, fmt.Sprintf(` {{ with .Values.floor }}%q:{{ . }},{{ end }}`, s.field), 1)
	manifest = strings.Replace(manifest, "NOTE", "{{ .Values.note }}", 1)
	folder := s.TempDir()
	for file, text := range map[string]string{
		"Chart.yaml":       "apiVersion: v2\nname: f\nversion: 0.1.0\n",
		"templates/f.yaml": manifest + "\n",
	} {
		path := filepath.Join(folder, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			s.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			s.Fatal(err)
		}
	}
	return func(floor int, note string) {
		s.Helper()
		arguments := []string{"upgrade", "--install", name, folder, "--namespace", s.namespace, "--set", "note=" + note}
		if floor > 0 {
			arguments = append(arguments, "--set", fmt.Sprintf("floor=%d", floor))
		}
		if _, err := s.k.Run("", helm, arguments...); err != nil {
			s.Fatalf("a deploy failed: %v", err)
		}
	}
}
