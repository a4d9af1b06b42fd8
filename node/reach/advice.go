package reach

import "fmt"

// Facts are what advice follows from.
type Facts struct {
	Vouched    Vouch
	Local      bool // the node keeps to this machine
	Public     bool
	Judged     bool // AutoNAT has given at least one verdict
	Doubted    bool // a good one, of peers that this node had spoken to, alone
	Online     bool // there is a route to the internet, or a LAN
	Peers      int  // connected, of whatever kind
	Publics    int  // of them at public addresses
	UDP, TCP   bool // a connection of that kind to a public address is up
	NAT        Mapping
	PortMap    bool // routers are asked for ports
	PortMapped bool // and one gave one
	Relays     int  // reservations
	Wanted     int  // reservations strived for
}

// Advice is a thing that limits a node, and what its user can do about it.
type Advice struct {
	Limit string // what is wrong, and what follows from it
	Do    string // empty: nothing needs doing
}

// Advise says what limits a node with these facts, the gravest first.
func Advise(f Facts) []Advice {
	switch {
	case f.Local:
		return []Advice{{"this node was told to keep to this machine: only programs here reach it", "start it without --local to reach others"}}
	case !f.Online:
		return []Advice{{"this machine has no network: messages wait here", "connect it to a network; what waits is sent by itself then"}}
	case f.Peers == 0:
		return []Advice{{"nobody is connected, so nothing is known about the network around", "name a node that runs with --bootstrap, or open a contact's link with tomd connect"}}
	}
	var list []Advice
	add := func(limit, do string) { list = append(list, Advice{limit, do}) }
	switch {
	case f.Public:
		if f.Vouched == Public && !f.Judged {
			add("you vouch that this node can be reached, and no peer has confirmed it", "see that its port is open for UDP and TCP, or peers waste time dialling it")
		}
		return list
	case f.Vouched == Private:
		add("you say that this node cannot be reached, so it comes by relays and serves nobody", "start it with --reachability auto to have it find out")
	case f.Publics == 0:
		add("only peers of the own network are connected: how this node looks from outside is unknown", "name a node on the internet with --bootstrap")
	case !f.Judged:
		add("not enough peers have tried yet to reach this node", "")
	}
	if f.Publics > 0 && f.Relays == 0 {
		add("no relay has given this node a place: peers behind other routers cannot reach it", "wait a minute; if it stays so, name a node that relays with --bootstrap")
	} else if f.Publics > 0 && f.Relays < f.Wanted {
		add(fmt.Sprintf("only %d of %d relays: when it fails, this node cannot be reached for a second or two", f.Relays, f.Wanted), "")
	}
	if f.Publics > 0 && !f.UDP && f.TCP {
		add("UDP does not get through: connections are slower to set up, and holes are punched less often", "allow outgoing UDP in the firewall")
	}
	if f.NAT == MappingDependent {
		add("the router gives each connection another port (a symmetric NAT): holes can be punched only to peers with an open address, others come by relays", do(f))
	} else if f.Doubted {
		add("peers that this node has spoken to can reach it, and so could those that a filtering router lets in: it counts as private until a stranger comes by itself, 4 minutes after the start at the earliest", "start it with --reachability public if its port is open to anybody")
	} else if !f.PortMapped && f.Vouched != Private && f.Judged {
		add("the router lets nobody in unasked: the first connection to each peer begins at a relay and moves to a direct path within a second", do(f))
	}
	return list
}

// do is how to open a port.
func do(f Facts) string {
	switch {
	case f.PortMapped:
		return "the router opened a port, but behind another router: ask the provider for a public address, or use IPv6"
	case !f.PortMap:
		return "start without --no-portmap, or forward this node's port in the router"
	}
	return "allow UPnP or NAT-PMP in the router, or forward this node's port, for UDP and TCP"
}
