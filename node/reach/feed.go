package reach

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/multiformats/go-multiaddr"
)

const (
	// recheck is how long the feed waits for a candidate to turn up before it
	// looks again by itself.
	recheck = 15 * time.Second
	// offerAgain is until a relay that did not work out is offered again, unless
	// it comes back before.
	offerAgain = 20 * time.Second
)

// Source offers at most n relays, the best first, for a host to reserve with. It
// waits until there is one: the host's own way is to ask once a second.
func (s *Service) Source(ctx context.Context, n int) <-chan peer.AddrInfo {
	out := make(chan peer.AddrInfo, max(n, 0))
	go func() {
		defer close(out)
		for {
			woken := s.woken()
			found := s.candidates(n)
			for _, c := range found {
				out <- c
			}
			if len(found) > 0 {
				return
			}
			again := time.NewTimer(recheck)
			select {
			case <-woken:
			case <-again.C:
			case <-ctx.Done():
			case <-s.ended:
			}
			again.Stop()
			if ctx.Err() != nil || s.isOver() {
				return
			}
		}
	}()
	return out
}

// candidates are at most n relays that are worth a try now: those that the
// configuration ranks, then the neighbours that say they relay.
func (s *Service) candidates(n int) []peer.AddrInfo {
	h := s.hostNow()
	if h == nil {
		return nil
	}
	var known []peer.AddrInfo
	if s.cfg.Relays != nil {
		known = s.cfg.Relays(n + 2) // two are in use, as a rule
	}
	for _, id := range h.Network().Peers() {
		if ids, err := h.Peerstore().SupportsProtocols(id, proto.ProtoIDv2Hop); err == nil && relays(ids) {
			known = append(known, peer.AddrInfo{ID: id, Addrs: direct(h.Peerstore().Addrs(id))})
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(s.offered, func(_ peer.ID, at time.Time) bool { return now.Sub(at) >= offerAgain })
	used := append(relaysOf(s.advert.circuits), h.ID(), "")
	var found []peer.AddrInfo
	for _, c := range known {
		if slices.Contains(used, c.ID) {
			continue
		}
		if _, lately := s.offered[c.ID]; !lately && len(found) < n {
			s.offered[c.ID] = now
			found = append(found, c)
		}
	}
	return found
}

// relays says that the protocols include a relay's.
func relays(ids []protocol.ID) bool {
	return slices.Contains(ids, proto.ProtoIDv2Hop)
}

// direct leaves out addresses that go through relays.
func direct(addrs []multiaddr.Multiaddr) []multiaddr.Multiaddr {
	var out []multiaddr.Multiaddr
	for _, a := range addrs {
		if !relayed(a) {
			out = append(out, a)
		}
	}
	return out
}

// Look has the feed look for relays now: one has become known.
func (s *Service) Look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.wake)
	s.wake = make(chan struct{})
}

// woken is closed by the next Look.
func (s *Service) woken() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wake
}
