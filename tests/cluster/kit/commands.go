package kit

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// Run runs a component's command line (kubectl, helm, helm3, promtool, ctr) with some input. The error carries
// what it said on stderr.
func (k *Kit) Run(input, component string, args ...string) (string, error) {
	cmd := exec.Command(k.Bin(component), args...)
	cmd.Stdin = strings.NewReader(input)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w: %s", component, strings.Join(args, " "), err, strings.TrimSpace(problems.String()))
	}
	return out.String(), nil
}

func (k *Kit) must(t testing.TB, input, component string, args ...string) string {
	t.Helper()
	out, err := k.Run(input, component, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Kubectl runs kubectl as the administrator and returns its output; a failure fails the test.
func (k *Kit) Kubectl(t testing.TB, args ...string) string {
	t.Helper()
	return k.must(t, "", "kubectl", args...)
}

// Helm runs Helm 4; a failure fails the test.
func (k *Kit) Helm(t testing.TB, args ...string) string {
	t.Helper()
	return k.must(t, "", "helm", args...)
}

// Helm3 runs Helm 3; a failure fails the test.
func (k *Kit) Helm3(t testing.TB, args ...string) string {
	t.Helper()
	return k.must(t, "", "helm3", args...)
}

// Apply applies manifests in YAML.
func (k *Kit) Apply(t testing.TB, manifests string) {
	t.Helper()
	k.must(t, manifests, "kubectl", "apply", "--filename", "-")
}

// TryApply applies manifests that may be refused.
func (k *Kit) TryApply(manifests string) error {
	_, err := k.Run(manifests, "kubectl", "apply", "--filename", "-")
	return err
}
