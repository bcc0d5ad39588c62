package bed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// startContainerd starts the container runtime and gives it the image that every pod's sandbox is made of.
func (b *Bed) startContainerd() error {
	if err := b.writeCNI(); err != nil {
		return err
	}
	runc, err := exec.LookPath("runc")
	if err != nil {
		return err
	}
	config, err := b.write("containerd.toml", fmt.Sprintf(containerdConfig,
		b.mem("containerd", "root"), b.mem("containerd", "state"), b.ContainerdSocket(), b.mem("cni", "net.d"), runc))
	if err != nil {
		return err
	}
	// The shim and the runtime are found by name.
	path := "PATH=" + b.path("bin") + ":" + os.Getenv("PATH")
	return b.Process("containerd").Run([]string{path}, b.Bin("containerd"), "--config", config)
}

// ContainerdSocket is where the container runtime listens.
func (b *Bed) ContainerdSocket() string { return b.mem("containerd.sock") }

// restrict_oom_score_adj: without CAP_SYS_RESOURCE no sandbox could take the score that the kubelet asks for.
const containerdConfig = `version = 3
root = %q
state = %q
disabled_plugins = ["io.containerd.nri.v1.nri"]
[grpc]
  address = %q
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "` + pauseImage + `"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = %q
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        BinaryName = %q
        SystemdCgroup = false
`

func (b *Bed) writeCNI() error {
	dir := b.mem("cni", "net.d")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, "10-bed.conflist"), object{
		"cniVersion": "1.0.0", "name": "bed",
		"plugins": list{
			object{"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true, "ipMasq": false,
				"ipam": object{
					"type": "host-local", "dataDir": b.mem("cni", "ipam"),
					"ranges": list{list{object{"subnet": podSubnet, "gateway": NodeIP}}},
					"routes": list{object{"dst": "0.0.0.0/0"}},
				}},
		},
	})
}

func (b *Bed) startKubelet() error {
	kubeconfig, config := b.path("config", "kubelet.kubeconfig"), b.path("config", "kubelet.json")
	if err := b.kubeconfig(kubeconfig, "node", NodeIP); err != nil {
		return err
	}
	resolv, err := b.write("resolv.conf", "nameserver "+NodeIP+"\n")
	if err != nil {
		return err
	}
	err = writeJSON(config, object{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"authentication": object{
			"anonymous": object{"enabled": false}, "webhook": object{"enabled": true},
			"x509": object{"clientCAFile": b.pki.crt("ca")}},
		"authorization": object{"mode": "Webhook"},
		"tlsCertFile":   b.pki.crt("kubelet"), "tlsPrivateKeyFile": b.pki.keyFile("kubelet"),
		"containerRuntimeEndpoint": "unix://" + b.ContainerdSocket(),
		"cgroupDriver":             "cgroupfs", "cgroupRoot": cgroupName(b.ID), "failCgroupV1": false,
		"failSwapOn": false, "oomScoreAdj": 0,
		"clusterDNS": list{NodeIP}, "clusterDomain": "cluster.local", "resolvConf": resolv,
		"podLogsDir": b.mem("pod-logs"),
		"maxPods":    250, "serializeImagePulls": false,
		// Images come from files, once: none may be collected.
		"imageGCHighThresholdPercent": 100,
		"evictionHard": object{
			"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
	})
	if err != nil {
		return err
	}
	return b.Process("kubelet").Run(nil, b.Bin("kubelet"),
		"--config="+config, "--kubeconfig="+kubeconfig, "--root-dir="+b.mem("kubelet"),
		"--hostname-override="+NodeName, "--node-ip="+NodeIP)
}

func (b *Bed) startProxy() error {
	kubeconfig, config := b.path("config", "kube-proxy.kubeconfig"), b.path("config", "kube-proxy.json")
	if err := b.kubeconfig(kubeconfig, "proxy", NodeIP); err != nil {
		return err
	}
	err := writeJSON(config, object{
		"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
		"clientConnection": object{"kubeconfig": kubeconfig},
		"hostnameOverride": NodeName, "mode": "iptables", "clusterCIDR": podCIDR,
		"conntrack": object{"maxPerCore": 0},
		"iptables":  object{"masqueradeAll": !bridgeFiltered()},
	})
	if err != nil {
		return err
	}
	return b.Process("kube-proxy").Run(nil, b.Bin("kube-proxy"), "--config="+config)
}

// startDNS serves the cluster's names on the node's address, and makes the bed's own processes use them too.
func (b *Bed) startDNS() error {
	kubeconfig := b.path("config", "dns.kubeconfig")
	if err := b.kubeconfig(kubeconfig, "dns", NodeIP); err != nil {
		return err
	}
	corefile, err := b.write("Corefile", fmt.Sprintf(`.:53 {
    bind %s
    errors
    kubernetes cluster.local 10.in-addr.arpa {
        kubeconfig %s
        ttl 1
    }
}
`, NodeIP, kubeconfig))
	if err != nil {
		return err
	}
	return b.Process("coredns").Run(nil, b.Bin("coredns"), "-conf", corefile)
}
