package reach

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	manet "github.com/multiformats/go-multiaddr/net"
)

// watches says that this node's uplink can change: it listens on whatever
// interfaces there are.
func (s *Service) watches() bool {
	if s.cfg.Uplink != nil {
		return true
	}
	h := s.hostNow()
	return !h.Local && slices.ContainsFunc(h.Network().ListenAddresses(), manet.IsIPUnspecified)
}

func (s *Service) readUplink() Uplink {
	if s.cfg.Uplink != nil {
		return s.cfg.Uplink()
	}
	return ReadUplink()
}

func (s *Service) setUplink(u Uplink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uplink, s.advert.uplink = u, u
}

// checkUplink acts if packets come from elsewhere than a second ago. While there
// is no way out nothing is done: what comes back the same has lost nothing.
func (s *Service) checkUplink(ctx context.Context) {
	now := s.readUplink()
	s.mu.Lock()
	was := s.uplink
	if now.Any() && now.Is(was) {
		s.uplink, s.advert.uplink = now, now // its networks may have changed
	}
	s.mu.Unlock()
	if !now.Any() || now.Is(was) {
		return
	}
	logger.Infow("the uplink changed", "was4", was.V4, "now4", now.V4, "was6", was.V6, "now6", now.V6)
	s.mu.Lock()
	s.uplink = now
	s.advert.move(time.Now(), now)
	s.tcpTried = false
	clear(s.punches)
	clear(s.offered)
	s.mu.Unlock()
	s.tasks.Go(func() { s.roam(ctx) })
}

// roamAtATime is how many peers are dialled at once after a change of uplink.
const roamAtATime = 16

// roam closes all connections and dials their peers again. Those connections may
// even live on, but what the peers said about our address is stale, and as long as
// they stand, all holes would be punched with it.
func (s *Service) roam(ctx context.Context) {
	h := s.hostNow()
	peers := inOrder(h, s.Relays())
	var closing sync.WaitGroup
	for _, id := range peers {
		closing.Go(func() { _ = h.Network().ClosePeer(id) })
	}
	closing.Wait()
	s.Look()
	var dialling sync.WaitGroup
	slots := make(chan struct{}, roamAtATime)
	for _, id := range peers {
		slots <- struct{}{} // each dial ends with ctx, or after dialTime
		dialling.Go(func() {
			defer func() { <-slots }()
			err := s.connect(ctx, h, peer.AddrInfo{ID: id})
			logger.Debugw("connected anew", "peer", id, "err", err)
		})
	}
	dialling.Wait()
}

// inOrder are the connected peers: relays in use, then those at public addresses,
// who tell where we are now, then the others.
func inOrder(h *Host, relays []peer.ID) []peer.ID {
	peers := h.Network().Peers()
	rank := func(id peer.ID) int {
		conns := h.Network().ConnsToPeer(id)
		switch {
		case slices.Contains(relays, id):
			return 0
		case slices.ContainsFunc(conns, func(c network.Conn) bool { return public(c.RemoteMultiaddr()) }):
			return 1
		}
		return 2
	}
	ranks := make(map[peer.ID]int, len(peers))
	for _, id := range peers {
		ranks[id] = rank(id)
	}
	slices.SortStableFunc(peers, func(a, b peer.ID) int { return ranks[a] - ranks[b] })
	return peers
}
