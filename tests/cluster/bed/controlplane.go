package bed

import (
	"fmt"
	"strings"
)

// startControlPlane starts etcd and the API server, waits for it, and starts the controllers and the scheduler,
// which would end when the API server knows no roles yet.
func (b *Bed) startControlPlane() error {
	if err := b.startEtcd(); err != nil {
		return err
	}
	if err := b.startAPIServer(); err != nil {
		return err
	}
	if err := b.waitReady("kube-apiserver", "https://"+NodeIP+":6443/readyz"); err != nil {
		return err
	}
	return b.startControllers()
}

func (b *Bed) startEtcd() error {
	return b.Process("etcd").Run(nil, b.Bin("etcd"),
		"--data-dir="+b.mem("etcd"),
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380",
		"--unsafe-no-fsync", // it is on a tmpfs
		"--auto-compaction-retention=1h",
		"--log-level=warn")
}

func (b *Bed) startAPIServer() error {
	policy := b.path("config", "audit-policy.json")
	if err := writeJSON(policy, auditPolicy()); err != nil {
		return err
	}
	flags := []string{
		"--etcd-servers=http://127.0.0.1:2379",
		"--bind-address=0.0.0.0", "--secure-port=6443",
		// Pods reach the API server under this address, through the Service called kubernetes.
		"--advertise-address=" + NodeIP, "--endpoint-reconciler-type=lease",
		"--service-cluster-ip-range=" + serviceCIDR,
		"--client-ca-file=" + b.pki.crt("ca"),
		"--tls-cert-file=" + b.pki.crt("apiserver"), "--tls-private-key-file=" + b.pki.keyFile("apiserver"),
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + b.pki.dir + "/sa.pub",
		"--service-account-signing-key-file=" + b.pki.keyFile("sa"),
		"--kubelet-client-certificate=" + b.pki.crt("apiserver-kubelet"),
		"--kubelet-client-key=" + b.pki.keyFile("apiserver-kubelet"),
		"--kubelet-certificate-authority=" + b.pki.crt("ca"),
		"--kubelet-preferred-address-types=InternalIP",
		// Aggregated APIs. The name is required because one CA signs clients and the front proxy.
		"--proxy-client-cert-file=" + b.pki.crt("front-proxy"),
		"--proxy-client-key-file=" + b.pki.keyFile("front-proxy"),
		"--requestheader-client-ca-file=" + b.pki.crt("ca"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--enable-aggregator-routing=true",
		"--audit-policy-file=" + policy,
		"--audit-log-path=" + b.AuditLog(),
		"--audit-log-maxsize=8192", // never rotated: a test reads one file from its beginning
	}
	return b.Process("kube-apiserver").Run(nil, append([]string{b.Bin("kube-apiserver")},
		append(flags, b.options.APIServerFlags...)...)...)
}

// auditPolicy records every write whole, and of reads who read what: the bodies of lists would be most of the log
// and answer no question. The control plane's own leases and node reports are left out.
func auditPolicy() object {
	return object{
		"apiVersion": "audit.k8s.io/v1", "kind": "Policy",
		"omitStages": list{"RequestReceived"},
		"rules": list{
			object{"level": "None", "users": list{"system:apiserver", "system:kube-scheduler",
				"system:kube-controller-manager", "system:kube-proxy", "system:node:" + NodeName, "coredns", "prometheus"},
				"verbs": list{"get", "list", "watch"}},
			object{"level": "None", "users": list{"system:apiserver", "system:node:" + NodeName},
				"resources": list{object{"group": "coordination.k8s.io", "resources": list{"leases"}}}},
			object{"level": "Metadata", "verbs": list{"get", "list", "watch"}},
			object{"level": "Metadata", "resources": list{object{"group": "", "resources": list{"secrets", "serviceaccounts/token"}}}},
			object{"level": "RequestResponse"},
		},
	}
}

func (b *Bed) startControllers() error {
	for component, who := range map[string]string{
		"kube-controller-manager": "controller-manager", "kube-scheduler": "scheduler",
	} {
		config := b.path("config", who+".kubeconfig")
		if err := b.kubeconfig(config, who, NodeIP); err != nil {
			return err
		}
		flags := []string{b.Bin(component), "--leader-elect=false", "--kubeconfig=" + config,
			"--authentication-kubeconfig=" + config, "--authorization-kubeconfig=" + config}
		if component == "kube-controller-manager" {
			flags = append(flags,
				"--use-service-account-credentials=true",
				"--service-account-private-key-file="+b.pki.keyFile("sa"),
				"--root-ca-file="+b.pki.crt("ca"),
				"--cluster-signing-cert-file="+b.pki.crt("ca"), "--cluster-signing-key-file="+b.pki.keyFile("ca"),
				"--kube-api-qps=100", "--kube-api-burst=200")
		}
		if err := b.Process(component).Run(nil, flags...); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(flags[:1], " "), err)
		}
	}
	return nil
}
