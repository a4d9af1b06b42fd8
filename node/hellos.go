package node

import (
	"sync"
	"time"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols/heartbeat"
)

// maxHellos is how many peers' claimed names are remembered.
const maxHellos = 4096

// hellos remembers what peers call themselves, also after they have left.
type hellos struct {
	mu    sync.Mutex
	names map[Peer]string
}

func (h *hellos) put(p Peer, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.names == nil {
		h.names = make(map[Peer]string)
	}
	if _, ok := h.names[p]; !ok && len(h.names) >= maxHellos {
		for other := range h.names {
			delete(h.names, other)
			break
		}
	}
	h.names[p] = name
}

func (h *hellos) name(p Peer) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.names[p]
}

// hello is what this node says of itself on every connection.
func (n *Node) hello() heartbeat.Hello {
	record, err := n.vault.Record(n.signer)
	if err != nil {
		logger.Errorw("no prekey record for the hello", "err", err)
	}
	return heartbeat.Hello{
		Version: heartbeat.Version, Agent: agent(), Name: n.cfg.Name,
		Prekeys: record, Time: uint64(n.clock.Now().UnixMilli()),
	}
}

// greeted takes in what a neighbour says of itself.
func (n *Node) greeted(p Peer, h heartbeat.Hello, rtt time.Duration, _ bool) {
	n.hellos.put(p, h.Name)
	theirs := time.UnixMilli(int64(min(h.Time, 1<<53))).Add(rtt / 2)
	n.clock.Observe(p, theirs.Sub(n.clock.Now()))
	n.courier.LearnPrekeys(p, h.Prekeys)
	n.met(p)
}

// met remembers where a neighbour that speaks our protocols can be found, and
// holds on to those who are no strangers: a crowd must not push them out. Its
// hello and what it says of its addresses come in any order.
func (n *Node) met(p Peer) {
	if !n.links.Connected(p) {
		return
	}
	id, friend := identity.PeerIDOf(p), !n.store.Stranger(p)
	n.cache.Met(n.host.Peerstore().PeerInfo(id), n.clock.Now(), friend)
	if friend {
		n.host.ConnManager().Protect(id, "friend")
	}
}
