package links

import (
	"context"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
)

// mark has the dispatcher look at n. l.mu is held. Of a peer that does not
// speak our protocols nobody hears.
func (l *Links) mark(n *neighbour) {
	if n.dirty || !n.speaks {
		return
	}
	n.dirty = true
	l.dirty = append(l.dirty, n)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// dispatch calls the handlers that are about peers, in order, until ctx ends.
func (l *Links) dispatch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		l.mu.Lock()
		dirty := l.dirty
		l.dirty = nil
		l.mu.Unlock()
		for _, n := range dirty {
			l.tell(n)
		}
		l.tellStates()
	}
}

// tell brings the handlers' view of n up to date.
func (l *Links) tell(n *neighbour) {
	friend := l.cfg.Friend == nil || l.cfg.Friend(n.key)
	l.mu.Lock()
	n.friend = friend
	now, path := *n, n.used.path
	if !n.gone {
		l.stand(n, Online)
	} else if n.cameUp {
		l.stand(n, Stale)
	}
	l.advance(&n.used.next, time.Now())
	n.dirty, n.anew, n.lost, n.greeting = false, false, false, false
	n.cameUp, n.wentDown = true, n.gone
	l.mu.Unlock()

	h := &l.cfg.Handlers
	if now.wentDown {
		return
	}
	if !now.cameUp || now.anew {
		h.Up(now.key, path) // also if it has left meanwhile: its hello may be worth having
	}
	if now.greeting {
		h.Hello(now.key, now.hello, now.helloRTT(), now.local)
	}
	if now.lost {
		h.LineLost(now.key)
	}
	if now.gone {
		h.Down(now.key)
	}
}

// tellStates has the handler hear of states that have changed.
func (l *Links) tellStates() {
	l.mu.Lock()
	changes := l.changes
	l.changes = nil
	l.mu.Unlock()
	for _, c := range changes {
		l.cfg.Handlers.State(c.peer, c.state, c.at)
	}
}

// helloRTT is the round trip that the newest hello took, if we measured it.
func (n *neighbour) helloRTT() time.Duration {
	if n.local {
		return n.rtt
	}
	return 0
}

// watch learns from identify who speaks our protocols, until it is closed.
func (l *Links) watch() (event.Subscription, error) {
	sub, err := l.host.EventBus().Subscribe([]any{
		new(event.EvtPeerIdentificationCompleted),
		new(event.EvtPeerProtocolsUpdated),
	}, eventbus.Name("tom/links"), eventbus.BufSize(256))
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	l.work.Go(func() {
		for e := range sub.Out() {
			switch e := e.(type) {
			case event.EvtPeerIdentificationCompleted:
				l.noteProtocols(e.Peer)
			case event.EvtPeerProtocolsUpdated:
				l.noteProtocols(e.Peer)
			}
		}
	})
	return sub, nil
}

// noteProtocols asks the host what p speaks.
func (l *Links) noteProtocols(p peer.ID) {
	known, err := l.host.Peerstore().SupportsProtocols(p, l.ids[envelopes])
	if err != nil || len(known) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.peers[p]; n != nil {
		l.noteSpeaks(n)
	}
}
