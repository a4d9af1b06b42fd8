package reach

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// Contact is whether strangers can dial a transport of one family.
type Contact string

// A transport that the node does not have is absent.
const (
	ContactUnknown Contact = "unknown"
	Reachable      Contact = "reachable"
	Unreachable    Contact = "unreachable"
	Absent         Contact = "none"
)

// Filtering is whom a NAT or firewall lets in.
type Filtering string

// AutoNAT and strangers tell only whether strangers get in; which of those that
// were spoken to do is not known.
const (
	FilteringUnknown   Filtering = "unknown"
	FilteringNone      Filtering = "endpoint-independent"                // everybody, or a port is forwarded
	FilteringDependent Filtering = "address-dependent or port-dependent" // those that were spoken to
)

// NAT is what stands between this node and the internet, for one transport by
// IPv4.
type NAT struct {
	Mapping   Mapping
	Filtering Filtering
}

// Report is all that is known of how this node can be reached.
type Report struct {
	Reachability string // public, private or local
	Vouched      Vouch
	UDP, TCP     NAT

	UDP4, UDP6, TCP4, TCP6 Contact

	Outside []netip.Addr          // what peers saw us come from
	Mapped  []multiaddr.Multiaddr // what a router gave
	Relays  []peer.ID             // with which we have a reservation
	Serving bool                  // this node relays for others
	Advice  []Advice
}

// Reachability is public, private or local.
func (s *Service) Reachability() string {
	switch {
	case s.Public():
		return "public"
	case s.hostNow().Local && s.cfg.Vouch == Auto:
		return "local"
	}
	return "private"
}

// Report says all that is known now.
func (s *Service) Report() Report {
	h := s.hostNow()
	r := Report{Reachability: s.Reachability(), Vouched: s.cfg.Vouch, Serving: s.Serving()}
	if h.Mapped != nil {
		r.Mapped = h.Mapped()
	}
	conns := s.outbound(h)
	udp, tcp := 0, 0
	for _, c := range conns {
		if c.tcp {
			tcp++
		} else {
			udp++
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.believed(time.Now())
	r.UDP4, r.UDP6 = a.contact(false, false), a.contact(false, true)
	r.TCP4, r.TCP6 = a.contact(true, false), a.contact(true, true)
	r.UDP = NAT{s.seen.mapping(false, false, s.uplink.Holds), filtering(r.UDP4)}
	r.TCP = NAT{s.seen.mapping(true, false, s.uplink.Holds), filtering(r.TCP4)}
	r.Outside = slices.SortedFunc(maps.Keys(s.seen.outside()), netip.Addr.Compare)
	r.Relays = relaysOf(s.advert.circuits)
	r.Advice = Advise(Facts{
		Vouched: s.cfg.Vouch, Local: h.Local && s.cfg.Vouch == Auto, Public: s.verdict.Public,
		Judged:  len(s.addrs.Reachable)+len(s.addrs.Unreachable) > 0,
		Doubted: len(s.addrs.Reachable) > len(a.Reachable) && s.cfg.Vouch == Auto,
		Online:  s.uplink.Any() || h.Local, Peers: len(h.Network().Peers()), Publics: len(conns),
		UDP: udp > 0, TCP: tcp > 0, NAT: r.UDP.Mapping,
		PortMap: s.cfg.PortMap, PortMapped: len(r.Mapped) > 0,
		Relays: len(r.Relays), Wanted: s.cfg.Wanted,
	})
	return r
}

// contact sums up the verdicts on one transport and family.
func (a Addresses) contact(tcp, v6 bool) Contact {
	of := func(list []multiaddr.Multiaddr) bool {
		return slices.ContainsFunc(list, func(m multiaddr.Multiaddr) bool {
			at, isTCP, ok := endpoint(m)
			return ok && isTCP == tcp && at.Addr().Is6() == v6
		})
	}
	switch {
	case of(a.Reachable):
		return Reachable
	case of(a.Unreachable):
		return Unreachable
	case of(a.Unknown):
		return ContactUnknown
	case !v6 && a.IPv4:
		return ContactUnknown // behind a NAT nothing is seen at first
	}
	return Absent
}

func filtering(c Contact) Filtering {
	switch c {
	case Reachable:
		return FilteringNone
	case Unreachable:
		return FilteringDependent
	}
	return FilteringUnknown
}
