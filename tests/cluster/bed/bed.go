// Package bed runs a real Kubernetes cluster on this machine: binaries in, a cluster out that is gone without a
// trace when its first process dies.
//
//	outer ──► init ──► main
//	 host      │        └ starts the components, then runs the tests or holds the cluster
//	           └ process 1 of new process, mount and network namespaces; prepares them, reaps orphans
//
// Everything (components, shims, containers, mounts, interfaces) lives in those namespaces, so killing init ends
// all of it, whatever state it was in. Only cgroups and one folder are left for outer, or for the next run, to
// remove.
package bed

import (
	"os"
	"path/filepath"
)

// Addresses of the bed. They are the same in every bed: each has a network of its own.
const (
	NodeIP       = "10.244.0.1" // the pods' gateway; API server, Prometheus and DNS listen here too
	NodeName     = "node-1"
	podSubnet    = "10.244.0.0/22"
	podCIDR      = "10.244.0.0/16"
	serviceCIDR  = "10.96.0.0/16"
	firstService = "10.96.0.1"
)

// Options say what a bed is made of. The zero value is a whole cluster.
type Options struct {
	// ID names the bed; empty means one that no other run uses.
	ID string
	// ControlPlaneOnly leaves out containerd, kubelet, kube-proxy, DNS and Prometheus.
	ControlPlaneOnly bool
	// APIServerFlags are added to those of the API server.
	APIServerFlags []string
	// Scrape is what Prometheus scrapes at first.
	Scrape Scrape
}

// Bed is a running cluster, seen from inside its namespaces.
type Bed struct {
	ID string
	// Dir holds what may be read from outside: kubeconfig, certificates, logs, the audit log.
	Dir string
	// HostIP is the address under which the host reaches the API server and Prometheus.
	HostIP string
	// Prometheus is nil in a bed with ControlPlaneOnly.
	Prometheus *Prometheus

	options Options
	pki     *PKI
}

// Kubeconfig is the path of the administrator's kubeconfig; it works inside and outside the namespaces.
func (b *Bed) Kubeconfig() string { return filepath.Join(b.Dir, "kubeconfig") }

// AuditLog is the path of the API server's audit log: one JSON event a line.
func (b *Bed) AuditLog() string { return filepath.Join(b.Dir, "audit.log") }

// Log is the path of a component's log.
func (b *Bed) Log(component string) string { return filepath.Join(b.Dir, "logs", component+".log") }

// Bin is the path of a component's binary, under its plain name.
func (b *Bed) Bin(component string) string { return filepath.Join(b.Dir, "bin", component) }

// Process is the handle of a running component.
func (b *Bed) Process(component string) *Process {
	return &Process{Name: component, log: b.Log(component), record: filepath.Join(b.Dir, "run", component+".json")}
}

// mem is a path on the bed's own tmpfs: fast, and gone with the namespaces.
func (b *Bed) mem(parts ...string) string {
	return filepath.Join(append([]string{b.Dir, "mem"}, parts...)...)
}

// path is a path in Dir.
func (b *Bed) path(parts ...string) string {
	return filepath.Join(append([]string{b.Dir}, parts...)...)
}

func (b *Bed) write(name, text string) (string, error) {
	path := b.path("config", name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}
