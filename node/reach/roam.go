package reach

import (
	"context"
	"slices"
	"time"

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
	s.tcp, s.stale, s.trial, s.strangers = tcpSearch{}, staleness{}, trial{}, strangers{since: time.Now()}
	clear(s.punches)
	clear(s.offered)
	s.mu.Unlock()
	s.tasks.Go(func() { s.roam(ctx) })
}

// roam has all connections made anew. Those of the old uplink may even live on,
// but what the peers said about our address is stale, and as long as they stand,
// all holes would be punched with it.
func (s *Service) roam(ctx context.Context) {
	if s.cfg.Reconnect != nil {
		s.cfg.Reconnect(ctx)
	}
	s.Look()
}
