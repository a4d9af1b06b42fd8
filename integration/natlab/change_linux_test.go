package natlab

// What can happen to a host or a router while its daemon runs.

// forget has a router forget all its connections, as when it is restarted.
func (n *node) forget() error {
	_, err := command("", "ip", "netns", "exec", n.namespace, "conntrack", "-F")
	return err
}

// moveTo pulls a host's cable and plugs it in at another router, as when a phone
// leaves the house.
func (n *node) moveTo(router *node) error {
	if err := n.ip("link delete up0\n"); err != nil {
		return err
	}
	n.up = router.down
	n.addrs = n.up.attach()
	if _, err := command(n.cable()+"\n", "ip", "-batch", "-"); err != nil {
		return err
	}
	if err := router.ip("link set " + n.socket() + " master lan0 up\n"); err != nil {
		return err
	}
	return n.ip(n.outward())
}
