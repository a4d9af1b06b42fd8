package links

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/time/rate"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols/heartbeat"
)

// neighbour is a peer for as long as it is connected without a break. Links.mu
// guards it.
type neighbour struct {
	key   Peer
	alien bool // its key is not one of ours: it may ping, identify, and relay
	id    peer.ID
	conns []*conn // live, oldest first
	used  *conn   // the best of them; it stays when the last one is gone
	gone  bool    // the last connection is gone: this neighbour is history

	speaks bool            // it has shown that it speaks our protocols
	friend bool            // by Config.Friend
	ready  chan struct{}   // closed once it speaks
	hello  heartbeat.Hello // its newest
	offset time.Duration   // its clock against ours, by its newest word
	load   uint8           // as it last said
	rtt    time.Duration   // of the newest hello, if we spoke first

	in      [kinds]int    // its streams
	opening *rate.Limiter // its allowance of streams
	beats   *rate.Limiter // and of beats
	talked  time.Time     // when an envelope or a receipt last went either way

	draining  map[*outgoing]struct{} // our streams that have successors
	held      []waiting              // what no circuit has room for; bounded as a line's queue is
	heldBytes int
	renewal   renewal

	// For the dispatcher.
	dirty    bool // queued in Links.dirty
	cameUp   bool // Up was called
	wentDown bool // Down was called
	anew     bool // Up is due once more
	lost     bool // LineLost is due
	greeting bool // Hello is due
	local    bool // we spoke first, and rtt is that of the hello
}

// up says that the neighbour counts as connected.
func (n *neighbour) up() bool { return n.speaks && !n.gone }

// best returns the connection to open streams on, or nil.
func (n *neighbour) best() *conn {
	var best *conn
	for _, c := range n.conns {
		if best == nil || n.better(c, best) {
			best = c
		}
	}
	return best
}

// together is how far apart both ends may see two connections appear which they
// made at the same time.
const together = 3 * time.Second

// better says that c, which is newer, is to be used rather than old. Direct
// connections come first, then circuits without a limit. The newest counts, for
// the older ones may be dead; but of two circuits that the two ends made at the
// same time both must choose the same one, or each would close the other's.
func (n *neighbour) better(c, old *conn) bool {
	if c.path.Relayed != old.path.Relayed {
		return !c.path.Relayed
	}
	if !c.path.Relayed {
		return true
	}
	if free := c.quota.left() < 0; free != (old.quota.left() < 0) {
		return free
	}
	if c.dialled() != old.dialled() && c.since.Sub(old.since) < together && !old.quota.low() {
		return c.dialled() == n.first(c)
	}
	return true
}

// first says that this end's key is the lower one, of the two of c.
func (n *neighbour) first(c *conn) bool {
	return bytes.Compare([]byte(c.LocalPeer()), []byte(n.id)) < 0
}

// dialled says that this end made the connection.
func (c *conn) dialled() bool { return c.Stat().Direction == network.DirOutbound }

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
	l.mu.Lock()
	fresh, older := l.add(c)
	l.mu.Unlock()
	if fresh == nil {
		return
	}
	if c.IsClosed() { // perhaps before we began to listen
		l.disconnected(c)
		return
	}
	if fresh.of.alien {
		return
	}
	l.noteProtocols(c.RemotePeer())
	l.spawn(func(ctx context.Context) { l.greet(ctx, fresh) })
	for _, old := range older {
		l.spawn(func(ctx context.Context) { l.probe(ctx, old) })
	}
}

// beatRate and beatBurst are what a neighbour may send of beats and presence,
// per second and at once: several times what one that is waited for sends.
const (
	beatRate  = 8
	beatBurst = 32
)

func (l *Links) newNeighbour(id peer.ID) *neighbour {
	key, err := identity.KeyOf(id)
	lim := l.cfg.Limits
	return &neighbour{
		key: key, alien: err != nil, id: id, ready: make(chan struct{}),
		opening: rate.NewLimiter(rate.Limit(lim.Rate), lim.Burst),
		beats:   rate.NewLimiter(beatRate, beatBurst),
	}
}

// add files c; fresh is nil if it was filed already.
func (l *Links) add(c network.Conn) (fresh *conn, older []*conn) {
	n := l.peers[c.RemotePeer()]
	if n == nil {
		n = l.newNeighbour(c.RemotePeer())
		l.peers[n.id] = n
	}
	if n.find(c) != nil {
		return nil, nil
	}
	for _, old := range n.conns {
		if old == n.used || !old.path.Relayed { // nothing hangs on a spare circuit
			older = append(older, old)
		}
	}
	fresh = newConn(c, n)
	fresh.next.run = func(now time.Time) func() { return l.tend(fresh, now) }
	n.conns = append(n.conns, fresh)
	l.choose(n)
	l.advance(&fresh.next, time.Now())
	return fresh, older
}

// choose looks anew for the best connection. l.mu is held.
func (l *Links) choose(n *neighbour) {
	best := n.best()
	if best == nil || best == n.used {
		return
	}
	old := n.used
	n.used, best.spare = best, time.Time{}
	l.advance(&best.next, time.Now())
	if old == nil {
		return
	}
	l.moveOn(old)
	l.release(n)
	n.anew = true
	l.mark(n)
}

// disconnected forgets a connection, and with the last one the neighbour.
func (l *Links) disconnected(c network.Conn) {
	if then := l.remove(c); then != nil {
		then()
	}
}

func (l *Links) remove(c network.Conn) (then func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.peers[c.RemotePeer()]
	if n == nil {
		return nil
	}
	i := slices.IndexFunc(n.conns, func(have *conn) bool { return have.Conn == c })
	if i < 0 {
		return nil
	}
	close(n.conns[i].closed)
	l.plan(&n.conns[i].next, time.Time{})
	n.conns = slices.Delete(n.conns, i, i+1)
	if len(n.conns) > 0 {
		l.choose(n)
		return nil
	}
	n.gone = true
	delete(l.peers, n.id)
	l.mark(n)
	return n.failHeld(ErrNotConnected)
}

// noteSpeaks notes that a peer has shown that it speaks our protocols.
func (l *Links) noteSpeaks(n *neighbour) {
	if n.speaks || n.alien {
		return
	}
	n.speaks = true
	close(n.ready)
	l.mark(n)
	l.advance(&n.used.next, time.Now())
}
