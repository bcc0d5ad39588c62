package bed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// linkToHost makes a pair of interfaces between the host and init's network namespace and returns the address of
// the bed's end and the name of the host's. The kernel refuses a name that is taken, so two beds never share a
// subnet. The pair goes with the namespace, and its name may then be another bed's: whose it is stands in its alias.
func linkToHost(id string, initPID int) (hostIP, name string, err error) {
	for n := 1; n < 255; n++ {
		name = fmt.Sprintf("forewarm%d", n)
		err = run("ip", "link", "add", name, "type", "veth", "peer", "name", "host0", "netns", strconv.Itoa(initPID))
		if err == nil {
			return fmt.Sprintf("10.200.%d.2", n), name, runAll(
				"ip link set "+name+" alias "+linkAlias(id),
				fmt.Sprintf("ip address add 10.200.%d.1/30 dev %s", n, name),
				"ip link set "+name+" up",
			)
		}
		if !strings.Contains(err.Error(), "File exists") {
			return "", "", err
		}
	}
	return "", "", fmt.Errorf("no free subnet for a bed: %w", err)
}

func linkAlias(id string) string { return "forewarm-bed-" + id }

// removeLink removes the pair of that name if it is still this bed's.
func removeLink(id, name string) {
	alias, err := os.ReadFile(filepath.Join("/sys/class/net", name, "ifalias"))
	if err == nil && strings.TrimSpace(string(alias)) == linkAlias(id) {
		_ = run("ip", "link", "delete", name)
	}
}

// prepareNetwork sets up the namespace that init is in. The bridge is the node: pods hang on it, and the route
// lets the node's own processes reach ClusterIPs. There is no default route, so nothing leaves the machine.
func prepareNetwork(hostIP string) error {
	err := runAll(
		"ip link set lo up",
		"ip address add "+hostIP+"/30 dev host0",
		"ip link set host0 up",
		// A fixed address: a bridge takes over its ports' otherwise, and every pod start would break ARP caches.
		"ip link add cni0 address 0a:58:0a:f4:00:01 type bridge",
		"ip address add "+NodeIP+"/22 dev cni0",
		"ip link set cni0 up",
		"ip route add "+serviceCIDR+" dev cni0 src "+NodeIP,
	)
	if err != nil {
		return err
	}
	for path, value := range map[string]string{
		"/proc/sys/net/ipv4/ip_forward": "1",
		// A fresh connection a request uses up the usual 28,000 ports in a minute of 500 requests a second.
		"/proc/sys/net/ipv4/ip_local_port_range": "15000 65000",
		"/proc/sys/net/ipv4/tcp_tw_reuse":        "1",
		"/proc/sys/net/core/somaxconn":           "4096",
	} {
		if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
			return err
		}
	}
	// Answers from a pod to a pod through a ClusterIP must pass the node's address translation.
	if bridgeFiltered() {
		return os.WriteFile(bridgeFilter, []byte("1"), 0o644)
	}
	return nil
}

const bridgeFilter = "/proc/sys/net/bridge/bridge-nf-call-iptables"

func bridgeFiltered() bool {
	_, err := os.Stat(bridgeFilter)
	return err == nil
}

func runAll(lines ...string) error {
	for _, line := range lines {
		words := strings.Fields(line)
		if err := run(words[0], words[1:]...); err != nil {
			return err
		}
	}
	return nil
}

func run(name string, args ...string) error {
	output, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(output)))
	}
	return nil
}
