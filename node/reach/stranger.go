package reach

import (
	"net/netip"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// holesLast is how long routers leave a hole open that nothing goes through. Till
// then those who come to a node that has just started may use the holes that it
// made before.
const holesLast = 4 * time.Minute

// strangers says whether anybody has come to this node from where it never sent
// anything.
//
// Peers that judge an address dial it from the place they were spoken to, and
// many a NAT lets in whoever comes from there (address-restricted). So what they
// say of an address that is a router's and not this machine's own proves nothing,
// until somebody comes from elsewhere.
type strangers struct {
	since  time.Time           // of the uplink, or of the start
	spoken map[netip.Addr]bool // machines to which something was sent since
	came   map[ipNet]bool
}

// ipNet is what a router has one way to filter for.
type ipNet struct{ tcp, v6 bool }

// maxSpoken bounds memory. A node that has sent to more machines than that learns
// nothing more from those who come.
const maxSpoken = 4096

// dialled takes in that something is sent to an address.
func (s *strangers) dialled(a multiaddr.Multiaddr) {
	at, _, ok := endpoint(a)
	if !ok || !public(a) || len(s.spoken) > maxSpoken {
		return
	}
	if s.spoken == nil {
		s.spoken = make(map[netip.Addr]bool)
	}
	s.spoken[at.Addr()] = true
}

// accepted takes in who came, and says whether that is news.
func (s *strangers) accepted(now time.Time, remote multiaddr.Multiaddr) bool {
	at, tcp, ok := endpoint(remote)
	way := ipNet{tcp, at.Addr().Is6()}
	if !ok || !public(remote) || s.spoken[at.Addr()] || s.came[way] || len(s.spoken) > maxSpoken || now.Sub(s.since) < holesLast {
		return false
	}
	if s.came == nil {
		s.came = make(map[ipNet]bool)
	}
	s.came[way] = true
	return true
}

// doubted are those of the reachable addresses by which no stranger can have come
// and that are neither this machine's own nor a port that a router gave it.
func (s *strangers) doubted(reachable, mapped []multiaddr.Multiaddr, own func(netip.Addr) bool) (all []multiaddr.Multiaddr) {
	for _, a := range reachable {
		at, tcp, ok := endpoint(a)
		if ok && public(a) && !s.came[ipNet{tcp, at.Addr().Is6()}] && !own(at.Addr()) && !multiaddr.Contains(mapped, a) {
			all = append(all, a)
		}
	}
	return all
}

// Dialled takes in that the host sends something to an address.
func (s *Service) Dialled(a multiaddr.Multiaddr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strangers.dialled(a)
}

// met looks whether a stranger has come.
func (s *Service) met(c network.Conn) {
	if c.Stat().Direction != network.DirInbound {
		return
	}
	s.mu.Lock()
	news := s.strangers.accepted(time.Now(), c.RemoteMultiaddr())
	s.mu.Unlock()
	if news {
		s.nudge()
	}
}

// cameRelayed takes in that a peer came by a circuit.
func (s *Service) cameRelayed(id peer.ID) {
	first := len(s.hostNow().Network().ConnsToPeer(id)) == 1 // else it had no reason to come otherwise
	s.mu.Lock()
	ended := first && s.trial.failed(time.Now())
	s.mu.Unlock()
	if ended {
		s.nudge()
	}
}

// listens are this machine's addresses at which the host listens.
func (s *Service) listens() (own []netip.Addr) {
	addrs, err := s.hostNow().Network().InterfaceListenAddresses()
	if err != nil {
		logger.Debugw("read own addresses", "err", err)
	}
	for _, a := range addrs {
		if at, _, ok := endpoint(a); ok {
			own = append(own, at.Addr())
		}
	}
	return own
}

// believed are the addresses without those in doubt, which are kept from others
// but for trials. mu is held.
func (s *Service) believed(now time.Time) Addresses {
	a := s.addrs
	a.IPv4 = s.uplink.V4.IsValid()
	s.advert.doubted, s.advert.judged = nil, a.Reachable
	if s.cfg.Vouch == Public || len(a.Reachable) == 0 {
		return a
	}
	var mapped []multiaddr.Multiaddr
	if s.host != nil && s.host.Mapped != nil {
		mapped = s.host.Mapped()
	}
	doubted := s.strangers.doubted(a.Reachable, mapped, func(ip netip.Addr) bool {
		return s.uplink.Holds(ip) || slices.Contains(s.own, ip)
	})
	if len(doubted) > 0 {
		s.trial.plan(later(now, s.strangers.since.Add(holesLast)))
	}
	if !s.trial.on(now) {
		s.advert.doubted, s.advert.judged = doubted, without(a.Reachable, doubted)
	}
	a.Reachable, a.Unknown = without(a.Reachable, doubted), slices.Concat(a.Unknown, doubted)
	return a
}

// without returns addrs but those of some.
func without(addrs, some []multiaddr.Multiaddr) []multiaddr.Multiaddr {
	return slices.DeleteFunc(slices.Clone(addrs), func(a multiaddr.Multiaddr) bool { return multiaddr.Contains(some, a) })
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
