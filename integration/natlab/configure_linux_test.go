package natlab

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// configure sets up what is inside of a node's namespace. What is behind it is
// among the nodes given.
func (n *node) configure(nodes town) error {
	if err := within(n.namespace, n.setKernel); err != nil {
		return err
	}
	if err := n.ip("link set lo up\n" + n.inward(nodes) + n.outward()); err != nil {
		return err
	}
	if rules := n.rules(); rules != "" {
		_, err := command(rules, "ip", "netns", "exec", n.namespace, "nft", "-f", "-")
		return err
	}
	return nil
}

// setKernel has a router pass on what is for others; but not look at what goes
// from one neighbour to another, which some kernels do.
func (n *node) setKernel() error {
	if !n.router {
		return nil
	}
	for name, value := range map[string]string{
		"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1",
		"bridge/bridge-nf-call-iptables": "0", "bridge/bridge-nf-call-ip6tables": "0",
	} {
		err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0)
		if err != nil && !(errors.Is(err, os.ErrNotExist) && strings.HasPrefix(name, "bridge/")) {
			return err
		}
	}
	return nil
}

// ip runs commands of ip, a line each, in the node's namespace.
func (n *node) ip(script string) error {
	_, err := command(script, "ip", "-n", n.namespace, "-batch", "-")
	return err
}

// cable connects a node with the router it is behind.
func (n *node) cable() string {
	return fmt.Sprintf("link add name up0 netns %s type veth peer name %s netns %s", n.namespace, n.socket(), n.up.gateway.namespace)
}

// socket is the router's end of the cable.
func (n *node) socket() string { return fmt.Sprintf("port%d", n.number) }

// outward sets up the way to the internet.
func (n *node) outward() string {
	var b strings.Builder
	fmt.Fprintln(&b, "link set up0 up")
	addAddresses(&b, "up0", n.addrs)
	if n.up.gateway == nil { // what is not here is lost, as private addresses are
		fmt.Fprintln(&b, "route add default dev up0\nroute add ::/0 dev up0")
		return b.String()
	}
	for _, addr := range n.up.gatewayAddrs() {
		fmt.Fprintln(&b, "route add default via", bare(addr))
	}
	return b.String()
}

// inward sets up a router's home.
func (n *node) inward(nodes town) string {
	if !n.router {
		return ""
	}
	var b strings.Builder
	fmt.Fprintln(&b, "link add name lan0 type bridge mcast_snooping 0")
	for _, in := range nodes {
		if in.up == n.down {
			fmt.Fprintln(&b, "link set", in.socket(), "master lan0 up")
		}
	}
	addAddresses(&b, "lan0", n.down.gatewayAddrs())
	fmt.Fprintln(&b, "link set lan0 up")
	return b.String()
}

// route tells all who are there the way to new homes with public addresses.
func (l *lab) route(added town) error {
	for _, r := range added {
		if !r.router || r.down.v6 == "" {
			continue
		}
		for _, n := range l.nodes {
			if n.up != l.world || n == r {
				continue
			}
			if err := n.ip(fmt.Sprintf("route add %s via %s\n", fmt.Sprintf(r.down.v6, 0), bare(r.addrs[1]))); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *node) rules() string {
	switch {
	case n.router:
		return "define up = " + bare(n.addrs[0]) + "\n" + n.nat.rules
	case n.firewall:
		return hostFirewall
	default:
		return ""
	}
}

func addAddresses(b *strings.Builder, device string, addrs []string) {
	for _, addr := range addrs {
		fmt.Fprint(b, "address add ", addr, " dev ", device)
		if strings.Contains(addr, ":") {
			fmt.Fprint(b, " nodad")
		}
		fmt.Fprintln(b)
	}
}

// bare is an address without its mask.
func bare(addr string) string {
	addr, _, _ = strings.Cut(addr, "/")
	return addr
}
