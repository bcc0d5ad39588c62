package peers

import (
	"regexp"
	"strings"
	"time"

	"forewarm.dev/tests/cluster/kit"
)

// knativeVersion is what the module's version stands for; the manifests say "devel".
const knativeVersion = "1.23.0"

var knativeModules = []string{"knative.dev/serving", "knative.dev/networking", "knative.dev/caching"}

// Knative is Serving's controller, autoscaler, activator and webhook, without an ingress. Measured is the same, with an
// autoscaler that tells Prometheus what it sees, as the demand profile knative wants it.
var (
	Knative  = Peer{fetchKnative, installKnative}
	Measured = Peer{fetchKnative, func(k *kit.Kit) error {
		if err := installKnative(k); err != nil {
			return err
		}
		return measureKnative(k)
	}}
)

func fetchKnative() error {
	for _, module := range knativeModules {
		if _, err := moduleDir("knative", module); err != nil {
			return err
		}
	}
	return nil
}

func measureKnative(k *kit.Kit) error {
	patches := [][]string{
		{"configmap/config-observability", `{"data":{"metrics-protocol":"prometheus"}}`},
		{"deployment/autoscaler", `{"spec":{"template":{"metadata":{"annotations":{"prometheus.io/scrape":"true","prometheus.io/port":"9090"}}}}}`},
	}
	for _, patch := range patches {
		if _, err := k.Run("", "kubectl", "--namespace", "knative-serving", "patch", patch[0], "--type=merge", "--patch", patch[1]); err != nil {
			return err
		}
	}
	return rolledOut(k, "knative-serving", "autoscaler")
}

// Knative 1.23 starts by itself on Kubernetes 1.34 and later only; it is asked for the bed's oldest as well.
const (
	ownNamespace  = "        - name: SYSTEM_NAMESPACE\n"
	anyKubernetes = "        - name: KUBERNETES_MIN_VERSION\n          value: 1.33.0\n"
)

var knativeImage = regexp.MustCompile(`(?m)^( *)image: ko://knative\.dev/serving/cmd/([a-z]+)$`)

func installKnative(k *kit.Kit) error {
	dirs := make([]string, len(knativeModules))
	for at, module := range knativeModules {
		dir, err := moduleDir("knative", module)
		if err != nil {
			return err
		}
		dirs[at] = dir
	}
	for _, name := range []string{"controller", "autoscaler", "activator", "webhook", "queue"} {
		if err := k.LoadBinary(k.Bin("knative-"+name), "dev.local/knative-"+name+":1"); err != nil {
			return err
		}
	}
	core := dirs[0] + "/config/core"
	definitions, err := read(core, "100-namespace.yaml", "200-serviceaccount.yaml", "200-roles/*.yaml", "300-knativecertificate.yaml", "300-resources/*.yaml")
	if err != nil {
		return err
	}
	networking, err := read(dirs[1]+"/config", "*.yaml")
	if err != nil {
		return err
	}
	images, err := read(dirs[2]+"/config", "image.yaml")
	if err != nil {
		return err
	}
	rest, err := read(core, "configmaps/*.yaml", "deployments/controller.yaml", "deployments/autoscaler.yaml",
		"deployments/activator.yaml", "deployments/webhook.yaml", "webhooks/*.yaml")
	if err != nil {
		return err
	}
	for _, step := range []string{definitions + "\n---\n" + networking + "\n---\n" + images, rest} {
		step = strings.ReplaceAll(step, "app.kubernetes.io/version: devel", "app.kubernetes.io/version: "+knativeVersion)
		step = strings.ReplaceAll(step, "ko://knative.dev/serving/cmd/queue", "dev.local/knative-queue:1")
		step = strings.ReplaceAll(step, ownNamespace, anyKubernetes+ownNamespace)
		if err := applyUntil(k, local(step, knativeImage, "knative-"), time.Minute); err != nil {
			return err
		}
		if err := established(k); err != nil {
			return err
		}
	}
	return rolledOut(k, "knative-serving", "webhook", "controller", "autoscaler", "activator")
}
