package discovery

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// A lookup that finds nobody asks more peers than one that finds somebody, and
// what wants a peer that is not there wants it several times: to dial it, for its
// prekeys, for the next message. So who was not found is not looked for again at
// once. It is for a moment only: the peer may come at any time.
const (
	missLife  = 3 * time.Second
	maxMisses = 256
)

// misses are those whom no lookup has found lately.
type misses struct {
	mu sync.Mutex
	at map[peer.ID]time.Time
}

// note takes in that somebody was not found.
func (m *misses) note(id peer.ID, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at == nil {
		m.at = make(map[peer.ID]time.Time)
	}
	for other, at := range m.at {
		if len(m.at) >= maxMisses || now.Sub(at) >= missLife {
			delete(m.at, other)
		}
	}
	m.at[id] = now
}

// lately says that somebody was not found just now.
func (m *misses) lately(id peer.ID, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.at[id]
	return ok && now.Sub(at) < missLife
}
