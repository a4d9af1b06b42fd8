package reach

import (
	"net/netip"
	"slices"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/multiformats/go-multiaddr"
)

// strangers says whether anybody has come to this node whom it never spoke to.
//
// Peers that judge an address dial it from the place they were spoken to, and
// many a NAT lets in whoever comes from there (address-restricted). So what they
// say of an address that is a router's and not this machine's own proves nothing,
// until somebody comes from elsewhere.
type strangers struct {
	spoken map[netip.Addr]bool // hosts that this node has dialled, by this uplink
	came   bool
}

// maxSpoken bounds memory. Whoever dials more hosts than that learns nothing more
// from those who come.
const maxSpoken = 4096

// connected takes in a connection; known says that this node may have dialled the
// peer before, to an address that is not that of the connection.
func (s *strangers) connected(c network.Conn, known bool) {
	at, _, ok := endpoint(c.RemoteMultiaddr())
	if !ok || relayed(c.RemoteMultiaddr()) || !public(c.RemoteMultiaddr()) || len(s.spoken) >= maxSpoken {
		return
	}
	if s.spoken == nil {
		s.spoken = make(map[netip.Addr]bool)
	}
	if c.Stat().Direction == network.DirOutbound || known {
		s.spoken[at.Addr()] = true
	} else if !s.spoken[at.Addr()] {
		s.came = true
	}
}

// doubted are those of the reachable addresses that are neither this machine's nor
// a port that a router gave it.
func (s *strangers) doubted(reachable, mapped []multiaddr.Multiaddr, own func(netip.Addr) bool) (all []multiaddr.Multiaddr) {
	if s.came {
		return nil
	}
	for _, a := range reachable {
		at, _, ok := endpoint(a)
		if ok && public(a) && !own(at.Addr()) && !multiaddr.Contains(mapped, a) {
			all = append(all, a)
		}
	}
	return all
}

// without returns addrs but those of some.
func without(addrs, some []multiaddr.Multiaddr) []multiaddr.Multiaddr {
	return slices.DeleteFunc(slices.Clone(addrs), func(a multiaddr.Multiaddr) bool { return multiaddr.Contains(some, a) })
}
