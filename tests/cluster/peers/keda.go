package peers

import (
	"regexp"
	"strings"

	"forewarm.dev/tests/cluster/kit"
)

const kedaModule = "github.com/kedacore/keda/v2"

// KEDA is its operator, and the adapter that serves external metrics to the autoscalers that it makes.
var KEDA = Peer{fetchKEDA, installKEDA}

func fetchKEDA() error {
	_, err := moduleDir("keda", kedaModule)
	return err
}

var (
	kedaImage = regexp.MustCompile(`(?m)^( *)image: ghcr\.io/kedacore/(keda[a-z-]*):.*$`)
	// The image's own entry point is the binary, and it is never pulled.
	kedaElsewhere = regexp.MustCompile(`(?m)^ *(command:\n *- /[a-z-]+|imagePullPolicy: Always)\n`)
)

func installKEDA(k *kit.Kit) error {
	dir, err := moduleDir("keda", kedaModule)
	if err != nil {
		return err
	}
	if err := k.LoadBinary(k.Bin("keda-operator"), "dev.local/keda:1"); err != nil {
		return err
	}
	if err := k.LoadBinary(k.Bin("keda-adapter"), "dev.local/keda-metrics-apiserver:1"); err != nil {
		return err
	}
	config := dir + "/config/"
	definitions, err := read(config, "crd/bases/*.yaml", "general/namespace.yaml", "service_account/service_account.yaml")
	if err != nil {
		return err
	}
	if err := apply(k, definitions); err != nil {
		return err
	}
	if err := established(k); err != nil {
		return err
	}
	manifests, err := read(config, "rbac/role.yaml", "rbac/role_binding.yaml", "manager/manager.yaml", "manager/service.yaml",
		"metrics-server/role.yaml", "metrics-server/role_binding.yaml", "metrics-server/deployment.yaml",
		"metrics-server/service.yaml", "metrics-server/api_service.yaml")
	if err != nil {
		return err
	}
	manifests = local(kedaElsewhere.ReplaceAllString(manifests, ""), kedaImage, "")
	manifests = strings.ReplaceAll(manifests, "initialDelaySeconds: 20", "initialDelaySeconds: 2")
	if err := apply(k, manifests); err != nil {
		return err
	}
	if err := rolledOut(k, "keda", "keda-operator", "keda-metrics-apiserver"); err != nil {
		return err
	}
	_, err = k.Run("", "kubectl", "wait", "--for=condition=Available", "apiservice", "v1beta1.external.metrics.k8s.io", "--timeout=2m")
	return err
}
