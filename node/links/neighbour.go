package links

import (
	"context"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/time/rate"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/heartbeat"
)

// neighbour is a peer for as long as it is connected without a break. Links.mu
// guards it.
type neighbour struct {
	key   Peer
	id    peer.ID
	conns []*conn // live, oldest first
	used  *conn   // the best of them; it stays when the last one is gone
	gone  bool    // the last connection is gone: this neighbour is history

	speaks bool            // it has shown that it speaks our protocols
	ready  chan struct{}   // closed once it has
	hello  heartbeat.Hello // its newest
	offset time.Duration   // its clock against ours, by that hello
	rtt    time.Duration   // the newest measured; 0: none yet

	out     [kinds]*outgoing // our streams; none for heartbeats
	in      [kinds]int       // its streams
	opening *rate.Limiter    // its allowance of streams

	// For the dispatcher.
	dirty    bool // queued in Links.dirty
	cameUp   bool // Up was called
	wentDown bool // Down was called
	anew     bool // Up is due once more
	lost     bool // LineLost is due
	greeting bool // Hello is due
	local    bool // we spoke first, and rtt is that of the hello
}

// conn is one connection to a neighbour.
type conn struct {
	network.Conn
	path    delivery.Path
	greeted bool          // a hello came over it, as an answer or by itself
	heard   bool          // one came by itself
	closed  chan struct{} // closed when the connection is gone
}

// up says that the neighbour counts as connected.
func (n *neighbour) up() bool { return n.speaks && !n.gone }

// best returns the connection to open a stream on: the newest direct one, else
// the newest.
func (n *neighbour) best() *conn {
	for _, c := range slices.Backward(n.conns) {
		if !c.path.Relayed {
			return c
		}
	}
	if len(n.conns) == 0 {
		return nil
	}
	return n.conns[len(n.conns)-1]
}

// find returns what is known of c, or nil.
func (n *neighbour) find(c network.Conn) *conn {
	for _, have := range n.conns {
		if have.Conn == c {
			return have
		}
	}
	return nil
}

// connected takes in a new connection: it says hello and has older connections
// to the same peer tested.
func (l *Links) connected(c network.Conn) {
	key, err := identity.KeyOf(c.RemotePeer())
	if err != nil {
		return // it may ping and identify; our protocols it is refused
	}
	l.mu.Lock()
	fresh, older := l.add(key, c)
	l.mu.Unlock()
	if fresh == nil {
		return
	}
	if c.IsClosed() { // perhaps before we began to listen
		l.disconnected(c)
		return
	}
	l.noteProtocols(c.RemotePeer())
	l.spawn(func(ctx context.Context) { l.greet(ctx, fresh) })
	for _, old := range older {
		l.spawn(func(ctx context.Context) { l.probe(ctx, old) })
	}
}

// add files c; fresh is nil if it was filed already.
func (l *Links) add(key Peer, c network.Conn) (fresh *conn, older []*conn) {
	n := l.peers[c.RemotePeer()]
	if n == nil {
		lim := l.cfg.Limits
		n = &neighbour{
			key: key, id: c.RemotePeer(), ready: make(chan struct{}),
			opening: rate.NewLimiter(rate.Limit(lim.Rate), lim.Burst),
		}
		l.peers[n.id] = n
	}
	if n.find(c) != nil {
		return nil, nil
	}
	older = slices.Clone(n.conns)
	fresh = &conn{Conn: c, path: pathOf(c), closed: make(chan struct{})}
	n.conns = append(n.conns, fresh)
	l.choose(n)
	return fresh, older
}

// choose looks anew for the best connection. l.mu is held.
func (l *Links) choose(n *neighbour) {
	best := n.best()
	if best == nil || best == n.used {
		return
	}
	if n.used != nil {
		n.moveOn()
		n.anew = true
		l.mark(n)
	}
	n.used = best
}

// moveOn has what is sent from now on go over new streams: those in use are on
// an older connection, which may be what a peer that crashed left behind.
func (n *neighbour) moveOn() {
	for k, o := range n.out {
		if o != nil && o.line != nil {
			n.out[k] = nil
		}
	}
}

// disconnected forgets a connection, and with the last one the neighbour.
func (l *Links) disconnected(c network.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.peers[c.RemotePeer()]
	if n == nil {
		return
	}
	i := slices.IndexFunc(n.conns, func(have *conn) bool { return have.Conn == c })
	if i < 0 {
		return
	}
	close(n.conns[i].closed)
	n.conns = slices.Delete(n.conns, i, i+1)
	if len(n.conns) == 0 {
		n.gone = true
		delete(l.peers, n.id)
		l.mark(n)
	}
	l.choose(n)
}

// noteSpeaks notes that a peer has shown that it speaks our protocols.
func (l *Links) noteSpeaks(n *neighbour) {
	if !n.speaks {
		n.speaks = true
		close(n.ready)
		l.mark(n)
	}
}
