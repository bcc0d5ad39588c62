// Package peers installs the scalers that users already have: Knative Serving and KEDA, from the manifests of the very
// modules that their binaries are built of.
package peers

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"forewarm.dev/tests/cluster/build"
	"forewarm.dev/tests/cluster/kit"
)

// moduleDir is where a module that a component is made of lies; it is fetched where it is not there. To be called on the
// host first: a bed has no way to the module proxy.
func moduleDir(component, module string) (string, error) {
	source, err := build.SourceDir()
	if err != nil {
		return "", err
	}
	tool := os.Getenv("FOREWARM_GO")
	if tool == "" {
		tool = "go"
	}
	cmd := exec.Command(tool, "mod", "download", "-json", module)
	cmd.Dir = filepath.Join(source, "components", component)
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=-mod=mod")
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w", module, err)
	}
	var found struct{ Dir string }
	if err := json.Unmarshal(output, &found); err != nil {
		return "", err
	}
	return found.Dir, nil
}

// read joins manifests, given as patterns of files in a folder.
func read(folder string, patterns ...string) (string, error) {
	var all []string
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			return "", err
		}
		if len(files) == 0 {
			return "", fmt.Errorf("no %s in %s", pattern, folder)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			all = append(all, string(text))
		}
	}
	return strings.Join(all, "\n---\n"), nil
}

// apply is by server-side apply: the definitions are too large for an annotation with all of them.
func apply(k *kit.Kit, manifests string) error {
	_, err := k.Run(manifests, "kubectl", "apply", "--server-side", "--force-conflicts", "--filename", "-")
	return err
}

// applyUntil applies what may need a webhook that is not ready yet.
func applyUntil(k *kit.Kit, manifests string, deadline time.Duration) error {
	return kit.Wait(deadline, func() error { return apply(k, manifests) })
}

// local is a manifest whose images are those of the bed, small enough for two cores.
func local(manifest string, images *regexp.Regexp, prefix string) string {
	manifest = images.ReplaceAllStringFunc(manifest, func(line string) string {
		parts := images.FindStringSubmatch(line)
		return fmt.Sprintf("%simage: dev.local/%s%s:1\n%simagePullPolicy: Never", parts[1], prefix, parts[2], parts[1])
	})
	for from, to := range map[string]string{"cpu: 100m": "cpu: 20m", "cpu: 300m": "cpu: 20m", "cpu: 30m": "cpu: 20m"} {
		manifest = strings.ReplaceAll(manifest, from, to)
	}
	return manifest
}

// rolledOut waits for deployments.
func rolledOut(k *kit.Kit, namespace string, names ...string) error {
	for _, name := range names {
		if _, err := k.Run("", "kubectl", "--namespace", namespace, "rollout", "status", "deployment/"+name, "--timeout=4m"); err != nil {
			return err
		}
	}
	return nil
}

// established waits for definitions. kubectl gives up on one whose status nobody has written yet.
func established(k *kit.Kit) error {
	return kit.Wait(time.Minute, func() error {
		_, err := k.Run("", "kubectl", "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
		return err
	})
}
