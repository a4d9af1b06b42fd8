package node

import (
	"slices"
	"sync"
	"time"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols/heartbeat"
)

// maxHellos is how many peers' claimed names are remembered.
const maxHellos = 4096

// hellos remembers what peers call themselves and offer, also after they have
// left.
type hellos struct {
	mu    sync.Mutex
	known map[Peer]claims
}

// claims are what a peer says of itself.
type claims struct {
	name  string
	roles []uint8
}

func (h *hellos) put(p Peer, c claims) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known == nil {
		h.known = make(map[Peer]claims)
	}
	if _, ok := h.known[p]; !ok && len(h.known) >= maxHellos {
		for other := range h.known {
			delete(h.known, other)
			break
		}
	}
	h.known[p] = c
}

func (h *hellos) name(p Peer) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.known[p].name
}

// offers says that a peer has last claimed a role.
func (h *hellos) offers(p Peer, role uint8) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.known[p].roles, role)
}

// roles are those a peer has last claimed.
func (h *hellos) roles(p Peer) []uint8 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.known[p].roles
}

// hello is what this node says of itself to a neighbour.
func (n *Node) hello(to Peer) heartbeat.Hello {
	record, err := n.vault.Record(n.signer)
	if err != nil {
		logger.Errorw("no prekey record for the hello", "err", err)
	}
	return heartbeat.Hello{
		Version: heartbeat.Version, Agent: agent(), Name: n.cfg.Name,
		Roles:     n.roles(),
		Admission: n.admission(to),
		Prekeys:   record, Time: uint64(n.clock.Now().UnixMilli()),
	}
}

// greeted takes in what a neighbour says of itself.
func (n *Node) greeted(p Peer, h heartbeat.Hello, rtt time.Duration, _ bool) {
	n.hellos.put(p, claims{h.Name, h.Roles})
	n.relay.Neighbourhood()
	theirs := time.UnixMilli(int64(min(h.Time, 1<<53))).Add(rtt / 2)
	n.clock.Observe(p, theirs.Sub(n.clock.Now()))
	n.courier.LearnPrekeys(p, h.Prekeys)
	n.admitted(p, h.Admission)
	n.holder.PeerUp(p) // only now it is known whether it keeps anything
	n.met(p)
	n.tellWhere(p, n.presence.Own())
}

// met remembers where a neighbour that speaks our protocols can be found, and
// holds on to those who are no strangers: a crowd must not push them out. Its
// hello and what it says of its addresses come in any order.
func (n *Node) met(p Peer) {
	if !n.links.Connected(p) {
		return
	}
	id, friend := identity.PeerIDOf(p), !n.store.Stranger(p)
	n.cache.Met(n.host.Peerstore().PeerInfo(id), n.clock.Now(), friend, n.hellos.roles(p)...)
	if friend {
		n.host.ConnManager().Protect(id, "friend")
	}
	if n.groups.CoMember(p) {
		n.kin(p, true)
	}
}
