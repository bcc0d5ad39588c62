// Package build turns pinned Go modules into the binaries of the bed: a table of components in, paths of
// stripped binaries in a cache out. Every component is pinned by a go.mod and go.sum under components/.
package build

// Component is one binary of the bed.
type Component struct {
	// Name of the binary.
	Name string
	// Module is the folder under components/ whose go.mod and go.sum pin everything it is made of.
	Module string
	// Package is the main package, as `go build` takes it.
	Package string
	// Tags are the build tags, comma separated.
	Tags string
	// Stamp is a further linker flag: what the binary answers when asked for its version.
	Stamp string
	// Seconds is how long a cold build took on two busy cores, in this order; only the ETA is made of it.
	Seconds int
}

const (
	helmStamp  = "-X helm.sh/helm/v4/internal/version.version=v4.3.1"
	helm3Stamp = "-X helm.sh/helm/v3/internal/version.version=v3.22.0"
	// All other service discoveries of Prometheus bring a cloud SDK each, four of five minutes of its build.
	promTags = "remove_all_sd,enable_kubernetes_sd"
)

// table is everything the bed is made of, in the order in which it is built. A new one is one line (and, where it is
// the first of its module, a folder under components/ with go.mod and go.sum). Those of Kubernetes get the module and
// the stamp of their release in [Components].
var table = []Component{
	{"kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", "", "", 324},
	{"etcd", "etcd", "go.etcd.io/etcd/server/v3", "", "", 18},
	{"kubelet", "kubernetes", "k8s.io/kubernetes/cmd/kubelet", "", "", 95},
	{"kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", "", "", 45},
	{"kube-scheduler", "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler", "", "", 11},
	{"kube-proxy", "kubernetes", "k8s.io/kubernetes/cmd/kube-proxy", "", "", 14},
	{"kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl", "", "", 28},
	{"containerd", "containerd", "github.com/containerd/containerd/v2/cmd/containerd", "", "", 43},
	{"containerd-shim-runc-v2", "containerd", "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2", "", "", 1},
	{"ctr", "containerd", "github.com/containerd/containerd/v2/cmd/ctr", "", "", 3},
	{"helm", "helm", "helm.sh/helm/v4/cmd/helm", "", helmStamp, 95},
	{"prometheus", "prometheus", "github.com/prometheus/prometheus/cmd/prometheus", promTags, "", 95},
	{"promtool", "prometheus", "github.com/prometheus/prometheus/cmd/promtool", promTags, "", 3},
	{"coredns", "coredns", ".", "", "", 42},
	{"pause", "images", "./pause", "", "", 1},
	{"web", "images", "./web", "", "", 2},
	{"helm3", "helm3", "helm.sh/helm/v3/cmd/helm", "", helm3Stamp, 44},
	{"knative-autoscaler", "knative", "knative.dev/serving/cmd/autoscaler", "", "", 70},
	{"knative-controller", "knative", "knative.dev/serving/cmd/controller", "", "", 20},
	{"knative-webhook", "knative", "knative.dev/serving/cmd/webhook", "", "", 5},
	{"knative-activator", "knative", "knative.dev/serving/cmd/activator", "", "", 5},
	{"knative-queue", "knative", "knative.dev/serving/cmd/queue", "", "", 5},
	{"keda-operator", "keda", "github.com/kedacore/keda/v2/cmd/operator", "", "", 300},
	{"keda-adapter", "keda", "github.com/kedacore/keda/v2/cmd/adapter", "", "", 90},
}
