package links

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/node/identity"
)

// maxWatched bounds how many peers can be waited for at once.
const maxWatched = 4096

// patient is how long somebody who waits is taken to look at the clock. A peer
// may be connected for hours and not sign for what it was given.
const patient = 10 * time.Minute

// watchDelay is what most that is waited for takes at most: it costs no beat.
const watchDelay = 250 * time.Millisecond

// Watch says whether somebody waits for p. While somebody does, or while an
// envelope to p has no answer, a dead connection is noticed within some 2 s and
// closed; within 8 s when that has lasted for 10 minutes.
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
	now := time.Now()
	l.watched[p] = now
	if n := l.peers[identity.PeerIDOf(p)]; n != nil {
		l.advance(&n.used.next, now.Add(watchDelay))
	}
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
