package discovery

import (
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// Limits of recent.
const (
	maxRecent  = 256
	recentLife = 2 * time.Minute
)

// recent remembers who was heard lately, and where.
type recent struct {
	mu    sync.Mutex
	heard map[peer.ID]sighting
}

type sighting struct {
	addrs []multiaddr.Multiaddr
	at    time.Time
}

func (r *recent) put(info peer.AddrInfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.heard == nil {
		r.heard = make(map[peer.ID]sighting)
	}
	if _, known := r.heard[info.ID]; !known && len(r.heard) >= maxRecent {
		for other := range r.heard {
			delete(r.heard, other)
			break
		}
	}
	r.heard[info.ID] = sighting{slices.Clone(info.Addrs[:min(len(info.Addrs), maxAddrs)]), time.Now()}
}

func (r *recent) get(id peer.ID) []multiaddr.Multiaddr {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.heard[id]; ok && time.Since(s.at) < recentLife {
		return slices.Clone(s.addrs)
	}
	return nil
}
