package bed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"
)

// start brings the cluster up. What needs no API server starts first, and comes up while the API server does.
func (b *Bed) start() error {
	began := time.Now()
	say := func(what string) {
		fmt.Fprintf(os.Stderr, "bed: %s after %.1f s\n", what, time.Since(began).Seconds())
	}
	if err := errorsOf(b.startPKI(), useOwnNames()); err != nil {
		return err
	}
	node := !b.options.ControlPlaneOnly
	if node {
		if err := b.startContainerd(); err != nil {
			return err
		}
	}
	if err := b.startControlPlane(); err != nil {
		return err
	}
	say("control plane ready")
	if !node {
		return nil
	}
	if err := b.startNode(); err != nil {
		return err
	}
	say("node, DNS and Prometheus ready")
	return nil
}

func (b *Bed) startPKI() (err error) {
	if b.pki, err = newPKI(b.path("pki")); err != nil {
		return err
	}
	for name, who := range b.certificates() {
		if err := b.pki.issue(name, who); err != nil {
			return err
		}
	}
	return b.kubeconfig(b.Kubeconfig(), "admin", b.HostIP)
}

func (b *Bed) startNode() error {
	for _, start := range []func() error{b.startKubelet, b.startProxy, b.startDNS, b.Prometheus.first} {
		if err := start(); err != nil {
			return err
		}
	}
	for image, component := range map[string]string{pauseImage: "pause", WebImage: "web"} {
		if err := b.waitFor("containerd", "take the image "+image, func() bool {
			return b.LoadBinary(b.Bin(component), image) == nil
		}); err != nil {
			return err
		}
	}
	if err := b.waitFor("coredns", "answer", namesResolve); err != nil {
		return err
	}
	if err := b.waitReady("kube-proxy", "http://127.0.0.1:10256/healthz"); err != nil {
		return err
	}
	if err := b.Prometheus.waitReady(); err != nil {
		return err
	}
	return b.waitNode()
}

// useOwnNames makes the bed's own processes ask the bed's DNS. The overlay on /etc makes this a file of the bed's own.
// It comes before anything looks a name up: programs read the file again only after seconds.
func useOwnNames() error {
	if err := os.Remove("/etc/resolv.conf"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile("/etc/resolv.conf", []byte("nameserver "+NodeIP+"\n"), 0o644)
}

func namesResolve() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := net.DefaultResolver.LookupHost(ctx, "kubernetes.default.svc.cluster.local.")
	return err == nil
}
