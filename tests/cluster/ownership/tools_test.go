package ownership

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"forewarm.dev/tests/cluster/forewarm"
)

// chart is a Helm chart of the function: `replicas` is a line of the manifest only where the value is given, `note` is
// some other field.
type chart struct {
	*scene
	path string
	helm string // helm or helm3
}

func (s *scene) chart(helm string, function forewarm.Object) chart {
	s.Helper()
	manifest := function.With("metadata.annotations", forewarm.Map{"note": "NOTE"}).With("spec.replicas", "REPLICAS").JSON()
	manifest = strings.Replace(manifest, `"replicas":"REPLICAS",`, ` {{ with .Values.replicas }}"replicas":{{ . }},{{ end }}`, 1)
	manifest = strings.Replace(manifest, "NOTE", "{{ .Values.note }}", 1)
	folder := s.TempDir()
	for file, text := range map[string]string{
		"Chart.yaml":          "apiVersion: v2\nname: f\nversion: 0.1.0\n",
		"templates/f.yaml":    manifest + "\n",
		"templates/NOTES.txt": "",
	} {
		path := filepath.Join(folder, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			s.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			s.Fatal(err)
		}
	}
	return chart{scene: s, path: folder, helm: helm}
}

// deploy installs or upgrades the release; zero replicas leave the line out. A deploy that fails fails the test.
func (c chart) deploy(replicas int, note string) {
	c.Helper()
	arguments := []string{"upgrade", "--install", name, c.path, "--namespace", c.namespace, "--set", "note=" + note}
	if replicas > 0 {
		arguments = append(arguments, "--set", fmt.Sprintf("replicas=%d", replicas))
	}
	if _, err := c.k.Run("", c.helm, arguments...); err != nil {
		c.Fatalf("a deploy failed: %v", err)
	}
}

// apply is a deploy by client-side kubectl.
func (s *scene) apply(replicas int, note string) {
	s.Helper()
	s.k.Apply(s, s.function(replicas).With("metadata.annotations", forewarm.Map{"note": note}).JSON())
}

// serverSide is a deploy by server-side apply with some manager; Flux and Argo CD force it.
func (s *scene) serverSide(function func(replicas int) forewarm.Object, manager string, flags ...string) func(replicas int, note string) {
	return func(replicas int, note string) {
		s.Helper()
		manifest := function(replicas).With("metadata.annotations", forewarm.Map{"note": note}).JSON()
		arguments := append([]string{"apply", "--server-side", "--field-manager", manager, "--filename", "-"}, flags...)
		if _, err := s.k.Run(manifest, "kubectl", arguments...); err != nil {
			s.Fatalf("a deploy failed: %v", err)
		}
	}
}

// kubectl runs kubectl on the function's namespace.
func (s *scene) kubectl(arguments ...string) {
	s.Helper()
	s.k.Kubectl(s, append([]string{"--namespace", s.namespace}, arguments...)...)
}
