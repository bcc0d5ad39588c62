// Package controlplane proves the smaller bed: an API server and its controllers, without a node.
package controlplane

import (
	"os"
	"strings"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/kit"
)

const patience = 5 * time.Minute

func TestMain(m *testing.M) { os.Exit(kit.Main(m, bed.Options{ControlPlaneOnly: true})) }

func TestControlPlaneServesWithoutANode(t *testing.T) {
	k := kit.Of(t)
	namespace := k.Namespace(t, nil)
	k.Kubectl(t, "--namespace", namespace, "create", "deployment", "x", "--image", "dev.local/none:1")
	if nodes := k.Kubectl(t, "get", "nodes", "--output", "name"); strings.TrimSpace(nodes) != "" {
		t.Fatal(nodes)
	}
	kit.WaitFor(t, "the controllers to make a pod", patience, func() error {
		_, err := k.Run("", "kubectl", "--namespace", namespace, "wait", "--for=create", "--timeout=5s", "pod", "--selector", "app=x")
		return err
	})
}
