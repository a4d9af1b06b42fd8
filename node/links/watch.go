package links

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/node/identity"
)

// maxWatched bounds how many peers can be waited for at once.
const maxWatched = 4096

// Watch says whether somebody waits for p. While somebody does, or while an
// envelope to p has no answer, a dead connection is noticed within some 2 s and
// closed.
func (l *Links) Watch(p Peer, waiting bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, was := l.watched[p]
	switch {
	case !waiting:
		delete(l.watched, p)
		return
	case was || len(l.watched) >= maxWatched:
		return
	}
	l.watched[p] = struct{}{}
	l.lookAt(identity.PeerIDOf(p))
}

// Lean names the relays by which others reach this node, in place of those
// named before: a dead one is noticed within some 8 s. They need not be nodes
// of this network.
func (l *Links) Lean(relays []peer.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.leaned)
	for _, id := range relays {
		l.leaned[id] = struct{}{}
		l.lookAt(id)
	}
}

// Reconsider asks Config.Friend about p anew.
func (l *Links) Reconsider(p Peer) {
	friend := l.cfg.Friend == nil || l.cfg.Friend(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.peers[identity.PeerIDOf(p)]
	if n == nil || n.friend == friend {
		return
	}
	n.friend = friend
	if !n.up() {
		return
	}
	l.stand(n, Online)
	l.lookAt(n.id)
}

// lookAt has the connection in use to a peer looked at now. l.mu is held.
func (l *Links) lookAt(id peer.ID) {
	if n := l.peers[id]; n != nil {
		l.advance(&n.used.next, time.Now())
	}
}
