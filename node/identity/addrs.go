package identity

import (
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// The classes of addresses, in the order in which a link names them.
const (
	publicAddr = iota
	lanAddr
	relayedAddr
	loopbackAddr
	addrClasses
)

func classOf(a ma.Multiaddr) int {
	_, err := a.ValueForProtocol(ma.P_CIRCUIT)
	switch {
	case err == nil:
		return relayedAddr
	case manet.IsIPLoopback(a):
		return loopbackAddr
	case manet.IsPublicAddr(a):
		return publicAddr
	default:
		return lanAddr
	}
}

// HereOnly says that an address means nothing on another machine than that of
// whoever names it.
func HereOnly(a ma.Multiaddr) bool {
	return manet.IsIPLoopback(a) || manet.IsIPUnspecified(a) || manet.IsIP6LinkLocal(a)
}

// SelectAddrs returns the at most MaxLinkAddrs addresses by which a peer is
// told to others: public ones, then those of the local network, relayed ones,
// loopback. Within a class the order stays. No class takes more than half while
// another waits, so that a machine with a dozen IPv6 addresses still names its
// LAN and its relay.
func SelectAddrs(addrs []ma.Multiaddr) []ma.Multiaddr {
	var classes [addrClasses][]ma.Multiaddr
	for _, a := range unique(addrs) {
		c := classOf(a)
		classes[c] = append(classes[c], a)
	}
	var take [addrClasses]int
	left := MaxLinkAddrs
	for _, most := range []int{MaxLinkAddrs / 2, MaxLinkAddrs} {
		for c := range classes {
			n := min(left, min(most, len(classes[c]))-take[c])
			take[c] += n
			left -= n
		}
	}
	var out []ma.Multiaddr
	for c := range classes {
		out = append(out, classes[c][:take[c]]...)
	}
	return out
}

func unique(addrs []ma.Multiaddr) []ma.Multiaddr {
	seen := make(map[string]bool, len(addrs))
	var out []ma.Multiaddr
	for _, a := range addrs {
		if k := string(a.Bytes()); a != nil && !seen[k] {
			seen[k] = true
			out = append(out, a)
		}
	}
	return out
}
