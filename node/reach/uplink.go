package reach

import (
	"net"
	"net/netip"
	"slices"
)

// Uplink is where this machine's packets come from as it sees it, and the
// networks it is part of.
type Uplink struct {
	V4, V6 netip.Addr     // source addresses towards the internet; invalid: none
	Nets   []netip.Prefix // of the interfaces that are up, loopback excepted
}

// Is says that two uplinks are the same to a peer. IPv6 addresses change daily
// for privacy while connections of the old one go on; their network counts.
func (u Uplink) Is(o Uplink) bool {
	return u.V4 == o.V4 && site(u.V6) == site(o.V6)
}

func site(a netip.Addr) netip.Prefix {
	p, _ := a.Prefix(64) // invalid stays invalid
	return p
}

// Any says that there is a way out at all.
func (u Uplink) Any() bool { return u.V4.IsValid() || u.V6.IsValid() }

// Holds says that an address is one of this machine's.
func (u Uplink) Holds(a netip.Addr) bool {
	return a == u.V4 || a == u.V6 || slices.ContainsFunc(u.Nets, func(n netip.Prefix) bool { return n.Addr() == a })
}

// Neighbour says that an address is in a network of this machine's.
func (u Uplink) Neighbour(a netip.Addr) bool {
	return slices.ContainsFunc(u.Nets, func(n netip.Prefix) bool { return n.Contains(a) })
}

// ReadUplink asks the system. Nothing is sent: a UDP socket that is connected
// only looks up the route.
func ReadUplink() Uplink {
	u := Uplink{V4: sourceTo("udp4", "192.88.99.1:9"), V6: sourceTo("udp6", "[2001:4:112::1]:9")}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return u
	}
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if ip := p.Addr(); err == nil && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			u.Nets = append(u.Nets, p)
		}
	}
	if !u.Any() { // a LAN without a way out
		for _, p := range u.Nets {
			if p.Addr().Is4() && (!u.V4.IsValid() || p.Addr().Less(u.V4)) {
				u.V4 = p.Addr()
			}
		}
	}
	return u
}

func sourceTo(network, addr string) netip.Addr {
	c, err := net.Dial(network, addr)
	if err != nil {
		return netip.Addr{}
	}
	defer func() { _ = c.Close() }()
	at, err := netip.ParseAddrPort(c.LocalAddr().String())
	if err != nil || at.Addr().IsLoopback() || at.Addr().IsLinkLocalUnicast() {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}
