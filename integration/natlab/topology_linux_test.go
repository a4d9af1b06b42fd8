package natlab

import "fmt"

// site is a place on the internet: a host, or a router with places behind it.
type site struct {
	name     string // empty: a router nobody asks for
	router   bool
	nat      nat
	firewall bool // a host that lets nobody in
	inside   []site
}

func host(name string) site { return site{name: name} }

// walled is a host with a public address, and a firewall that drops what nobody
// asked for.
func walled(name string) site { return site{name: name, firewall: true} }

// behind is a router with sites behind it.
func behind(n nat, inside ...site) site { return site{router: true, nat: n, inside: inside} }

// called gives a router a name, by which a lab finds it.
func (s site) called(name string) site {
	s.name = name
	return s
}

// node is a site that has its place: a namespace.
type node struct {
	site
	number    int
	namespace string
	up        *network // where its device up0 is
	addrs     []string // on it, with masks
	down      *network // where a router's device lan0 is
}

// network is a wire: the internet, or what is inside of a router.
type network struct {
	gateway *node  // nil: the internet
	v4, v6  string // what its addresses begin with; empty: it has none
	mask    string // of v4; that of v6 is always 64
	last    int    // the number the newest address ends with
}

func internet() *network {
	// libp2p takes what is below 192.0.0.128 for private.
	return &network{v4: "192.0.0.", mask: "25", v6: "3fff::", last: 128}
}

// home is the network inside of a router. All homes have the same, unless one
// is inside of another; IPv6 addresses are never the same.
func home(gateway *node) *network {
	n := &network{gateway: gateway, v4: "192.168.1.", mask: "24", last: 9}
	switch outer := gateway.up; {
	case gateway.nat.v6:
		n.v4, n.v6 = "", fmt.Sprintf("3fff:0:%x::", gateway.number+1)
	case gateway.nat.lan != "":
		n.v4 = gateway.nat.lan
	case outer.v4 == n.v4:
		n.v4 = "192.168.2."
	}
	return n
}

// attach returns the addresses of one more node.
func (n *network) attach() (addrs []string) {
	n.last++
	return n.addresses(n.last)
}

func (n *network) addresses(number int) (addrs []string) {
	if n.v4 != "" {
		addrs = append(addrs, fmt.Sprintf("%s%d/%s", n.v4, number, n.mask))
	}
	if n.v6 != "" {
		addrs = append(addrs, fmt.Sprintf("%s%x/64", n.v6, number))
	}
	return addrs
}

// gatewayAddrs are those of the router, as seen from inside.
func (n *network) gatewayAddrs() []string { return n.addresses(1) }
