package bed

// Prometheus's packets are told from the kubelet's and the tests' by the group it runs as.
const (
	prometheusGID = 9090
	blindChain    = "FOREWARM-BLIND"
)

func prepareBlindness() error {
	return runAll(
		"iptables -w -N "+blindChain,
		"iptables -w -A OUTPUT -m owner --gid-owner 9090 -j "+blindChain,
	)
}

// Blind makes scrapes of some addresses fail, and nothing else: their `up` is 0 and their series end.
func (p *Prometheus) Blind(podIPs ...string) error {
	for _, ip := range podIPs {
		// A reset, so that a connection that is kept open fails too.
		if err := run("iptables", "-w", "-A", blindChain, "-p", "tcp", "-d", ip, "-j", "REJECT", "--reject-with", "tcp-reset"); err != nil {
			return err
		}
	}
	return nil
}

// See ends all blindness.
func (p *Prometheus) See() error { return run("iptables", "-w", "-F", blindChain) }
