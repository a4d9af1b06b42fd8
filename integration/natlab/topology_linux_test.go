package natlab

import (
	"fmt"
	"strings"
)

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
	v4, v6  string // its addresses, with a verb for the number of a node; empty: it has none
	last    int    // the number of the newest node
}

// internet gives every node an address far from all others, as they are in life:
// libp2p counts and limits those that are near each other.
func internet() *network {
	return &network{v4: "11.%d.0.1/8", v6: "3fff:%x::1/20"}
}

// home is the network inside of a router. All homes have the same, unless one
// is inside of another; IPv6 addresses are never the same.
func home(gateway *node) *network {
	n := &network{gateway: gateway, v4: "192.168.1.%d/24", last: 9}
	switch outer := gateway.up; {
	case gateway.nat.v6:
		n.v4, n.v6 = "", strings.Replace(bare(gateway.addrs[1]), "::1", ":1::%x/64", 1)
	case gateway.nat.lan != "":
		n.v4 = gateway.nat.lan
	case outer.v4 == n.v4:
		n.v4 = "192.168.2.%d/24"
	}
	return n
}

// attach returns the addresses of one more node.
func (n *network) attach() (addrs []string) {
	n.last++
	return n.addresses(n.last)
}

func (n *network) addresses(number int) (addrs []string) {
	for _, format := range []string{n.v4, n.v6} {
		if format != "" {
			addrs = append(addrs, fmt.Sprintf(format, number))
		}
	}
	return addrs
}

// gatewayAddrs are those of the router, as seen from inside.
func (n *network) gatewayAddrs() []string { return n.addresses(1) }
