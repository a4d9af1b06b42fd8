package reach

import (
	"net/netip"

	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Mapping is what a NAT does with the port of what goes out.
type Mapping string

// The words of RFC 4787.
const (
	MappingUnknown     Mapping = "unknown"
	MappingNone        Mapping = "none"                 // no translation
	MappingIndependent Mapping = "endpoint-independent" // one port for all peers: holes can be punched
	MappingDependent   Mapping = "endpoint-dependent"   // another port for each peer: symmetric
)

// sighting is what one peer saw this node come from.
type sighting struct {
	tcp      bool
	local    uint16         // the port here
	seen     netip.AddrPort // address and port there
	observer netip.Addr     // who saw it: an IPv4 address, or an IPv6 /56
}

// maxSightings bounds them; each belongs to a connection, whose number is bounded
// as well.
const maxSightings = 512

// sightings are what the peers connected now see, by connection.
type sightings map[string]sighting

// add takes in what the peer at the other end of an outgoing connection saw. A
// peer may lie: one alone proves nothing.
func (s sightings) add(conn string, local, remote, seen multiaddr.Multiaddr) {
	here, tcp, ok := endpoint(local)
	there, _, ok2 := endpoint(remote)
	at, tcp2, ok3 := endpoint(seen)
	if !ok || !ok2 || !ok3 || tcp != tcp2 || !manet.IsPublicAddr(remote) || !manet.IsPublicAddr(seen) || len(s) >= maxSightings {
		return
	}
	observer := there.Addr()
	if observer.Is6() {
		if site, err := observer.Prefix(56); err == nil {
			observer = site.Addr()
		}
	}
	s[conn] = sighting{tcp: tcp, local: here.Port(), seen: at, observer: observer}
}

// endpoint is the address and port of a direct address.
func endpoint(a multiaddr.Multiaddr) (at netip.AddrPort, tcp, ok bool) {
	if len(a) < 2 || relayed(a) {
		return at, false, false
	}
	addr, err := manet.ToNetAddr(a[:2])
	if err != nil {
		return at, false, false
	}
	at, err = netip.ParseAddrPort(addr.String())
	return netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port()), a[1].Code() == multiaddr.P_TCP, err == nil
}

// mapping judges by connections of one kind from one port: two observers that saw
// the same, or that did not. mine says that an address is this machine's own.
func (s sightings) mapping(tcp, v6 bool, mine func(netip.Addr) bool) Mapping {
	type view struct {
		observers map[netip.Addr]bool
		seen      map[netip.AddrPort]bool
	}
	byPort := make(map[uint16]*view)
	verdict := MappingUnknown
	for _, g := range s {
		if g.tcp != tcp || g.seen.Addr().Is6() != v6 {
			continue
		}
		if mine(g.seen.Addr()) {
			return MappingNone
		}
		v := byPort[g.local]
		if v == nil {
			v = &view{make(map[netip.Addr]bool), make(map[netip.AddrPort]bool)}
			byPort[g.local] = v
		}
		v.observers[g.observer], v.seen[g.seen] = true, true
	}
	for _, v := range byPort {
		switch {
		case len(v.observers) < 2:
		case len(v.seen) > 1:
			return MappingDependent
		default:
			verdict = MappingIndependent
		}
	}
	return verdict
}

// outside are the addresses that peers saw, of one family.
func (s sightings) outside() map[netip.Addr]int {
	seen := make(map[netip.Addr]int)
	for _, g := range s {
		seen[g.seen.Addr()]++
	}
	return seen
}
