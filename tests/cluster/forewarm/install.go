// Package forewarm puts the operator on a bed and speaks its words: chart and images in; policies, functions, the
// decision log and statuses out.
package forewarm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"forewarm.dev/tests/cluster/kit"
)

const (
	// Release is the name of the Helm release; ServiceAccount, Lease and Deployment are called so too.
	Release = "forewarm"
	// Namespace is where it is installed.
	Namespace = "forewarm"
	// Selector finds the operator's pods.
	Selector = "app.kubernetes.io/name=forewarm,app.kubernetes.io/component=operator"
	// User is who the operator is to the API server.
	User = "system:serviceaccount:" + Namespace + ":" + Release
	// WriteRole is the ClusterRole that a RoleBinding grants in an enrolled namespace.
	WriteRole = Namespace + "-" + Release + "-write"
)

// Setup says how the operator is installed. The zero value is two replicas that tick every two seconds, read the
// bed's Prometheus and may write nowhere.
type Setup struct {
	// Enrolled are namespaces for the chart value enrolledNamespaces; they are made first.
	Enrolled []string
	// Values are further chart values, in the words of `helm --set`.
	Values []string
}

// Prepare loads the images, installs the operator, waits until it is ready, and applies the demand profile of the
// test function: a step for kit.Main.
func (s Setup) Prepare(k *kit.Kit) error {
	if err := LoadImages(k); err != nil {
		return err
	}
	if err := s.Install(k); err != nil {
		return err
	}
	return k.TryApply(Profile().JSON())
}

// Install installs or upgrades the release and waits until it is ready. The images must have been loaded.
func (s Setup) Install(k *kit.Kit) error {
	for _, namespace := range s.Enrolled {
		if err := ensureNamespace(k, namespace); err != nil {
			return err
		}
	}
	arguments, err := s.arguments()
	if err != nil {
		return err
	}
	_, err = k.Run("", "helm", arguments...)
	return err
}

// Uninstall takes the release away, and with it the Lease that the chart's hook keeps for a minute so that nobody writes
// any more: what is installed next needs not wait for its end.
func Uninstall(t testing.TB, k *kit.Kit) {
	t.Helper()
	k.Helm(t, "uninstall", Release, "--namespace", Namespace, "--wait", "--timeout", "3m")
	k.Kubectl(t, "--namespace", Namespace, "delete", "lease", Release)
}

func (s Setup) arguments() ([]string, error) {
	chart, err := inCheckout("charts", "forewarm")
	if err != nil {
		return nil, err
	}
	content, err := digest(archive("forewarm"))
	if err != nil {
		return nil, err
	}
	arguments := []string{"upgrade", "--install", Release, chart, "--namespace", Namespace, "--create-namespace",
		"--wait", "--timeout", "4m",
		"--set", "image.repository=dev.local/forewarm", "--set", "image.tag=dev", "--set", "image.pullPolicy=Never",
		"--set", "sources[0].name=default", "--set", "sources[0].url=http://10.244.0.1:9090",
		"--set", "tickSeconds=2",
		// On a bed that is used again the tag stays and the image does not.
		"--set", "podAnnotations.image-content=" + content,
		// Two cores carry a whole cluster.
		"--set", "resources.requests.cpu=50m", "--set", "resources.requests.memory=64Mi"}
	for at, namespace := range s.Enrolled {
		arguments = append(arguments, "--set", fmt.Sprintf("enrolledNamespaces[%d]=%s", at, namespace))
	}
	for _, value := range s.Values {
		arguments = append(arguments, "--set", value)
	}
	return arguments, nil
}

// LoadImages loads the operator's image and the test function's.
func LoadImages(k *kit.Kit) error {
	for _, name := range []string{"forewarm", "test-function"} {
		if err := k.LoadImage(archive(name)); err != nil {
			return fmt.Errorf("%w (`make image` builds it; FOREWARM_IMAGES names its folder)", err)
		}
	}
	return nil
}

// Enrolled makes a namespace of the test's own in which the operator may write.
func Enrolled(t testing.TB, k *kit.Kit) string {
	t.Helper()
	namespace := k.Namespace(t, nil)
	k.Kubectl(t, "--namespace", namespace, "create", "rolebinding", Release,
		"--clusterrole="+WriteRole, "--serviceaccount="+Namespace+":"+Release)
	return namespace
}

// Operator is a client with a token of the operator's ServiceAccount, as a thief of it would be.
func Operator(t testing.TB, k *kit.Kit) dynamic.Interface {
	t.Helper()
	token, err := k.Typed.CoreV1().ServiceAccounts(Namespace).CreateToken(context.Background(), Release,
		&authentication.TokenRequest{}, meta.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(&rest.Config{Host: k.Config.Host, BearerToken: token.Status.Token,
		UserAgent: "forewarm-tests-thief", TLSClientConfig: rest.TLSClientConfig{CAData: k.Config.CAData, CAFile: k.Config.CAFile}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func ensureNamespace(k *kit.Kit, name string) error {
	namespace := &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: name}}
	_, err := k.Typed.CoreV1().Namespaces().Create(context.Background(), namespace, meta.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func archive(name string) string {
	folder := os.Getenv("FOREWARM_IMAGES")
	if folder == "" {
		folder, _ = inCheckout("target", "image")
	}
	return filepath.Join(folder, name+".oci.tar")
}

// inCheckout finds a path of the checkout from a test's folder, wherever in the module that is.
func inCheckout(parts ...string) (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; folder != "/"; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "charts", "forewarm", "Chart.yaml")); err == nil {
			return filepath.Join(append([]string{folder}, parts...)...), nil
		}
	}
	return "", errors.New("no charts/forewarm above the working directory")
}

func digest(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	return "x" + hex.EncodeToString(sum[:8]), nil
}
