package build

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryReleaseIsThatOfItsModule(t *testing.T) {
	source, err := SourceDir()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range releases {
		text, err := os.ReadFile(filepath.Join(source, "components", r.module, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		staging := "k8s.io/api => k8s.io/api v0." + strings.TrimPrefix(r.version, "v1.")
		for _, wanted := range []string{"k8s.io/kubernetes " + r.version, staging} {
			if !strings.Contains(string(text), wanted+"\n") && !strings.Contains(string(text), wanted+" ") {
				t.Errorf("%s: no %s in the go.mod of %s", r.minor, wanted, r.module)
			}
		}
		if !strings.HasPrefix(r.version, "v"+r.minor+".") {
			t.Errorf("%s is said to be %s", r.version, r.minor)
		}
	}
}

func TestTheEnvironmentChoosesTheKubernetes(t *testing.T) {
	for minor, module := range map[string]string{"": kubernetes, "1.33": "kubernetes-1.33"} {
		t.Setenv(Minor, minor)
		all, err := Components()
		if err != nil {
			t.Fatal(err)
		}
		for at, c := range all {
			if was := table[at]; was.Module != kubernetes && c != was {
				t.Errorf("%s is of %s", c.Name, c.Module)
			} else if was.Module == kubernetes && (c.Module != module || c.Stamp == "") {
				t.Errorf("%q: %s is of %s", minor, c.Name, c.Module)
			}
		}
	}
	t.Setenv(Minor, "1.20")
	if _, err := Components(); err == nil || !strings.Contains(err.Error(), "1.33") {
		t.Errorf("1.20: %v", err)
	}
}
