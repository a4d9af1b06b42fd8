package discovery

import (
	"context"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Offering is a source that knows who offers a role. Its answer comes at once,
// the best first; all of it is claims.
type Offering interface {
	Source
	Offering(role uint8) []peer.AddrInfo
}

// Offering lists at most n nodes that are said to offer a role, each once: what
// one source says first, in the order of the sources. It does not block.
func (s *Service) Offering(role uint8, n int) (all []peer.AddrInfo) {
	known := map[peer.ID]bool{s.cfg.Self: true}
	for _, src := range s.cfg.Sources {
		o, ok := src.(Offering)
		if !ok {
			continue
		}
		for _, info := range o.Offering(role) {
			if len(all) == n {
				return all
			}
			if !known[info.ID] && len(info.Addrs) > 0 {
				known[info.ID] = true
				all = append(all, info)
			}
		}
	}
	return all
}

// Neighbours is a source that knows which roles those who are connected say they
// offer.
type Neighbours func(role uint8) []peer.AddrInfo

// Name implements Source.
func (Neighbours) Name() string { return "neighbours" }

// Run implements Source.
func (Neighbours) Run(ctx context.Context, _ func(peer.AddrInfo)) error {
	<-ctx.Done()
	return nil
}

// Offering implements Offering.
func (n Neighbours) Offering(role uint8) []peer.AddrInfo { return n(role) }
