package links

import (
	"context"
	"time"

	"github.com/tom-protocol/tom/protocols/delivery"
)

// ErrLimit says that a frame would not fit what a relay lets through, and that
// no circuit can be had that has room for it.
var ErrLimit = delivery.ErrLimit

const (
	renewPause   = time.Second // between two circuits to one peer: relays are not there for bulk
	renewRetry   = 2 * time.Second
	maxRenewWait = time.Minute

	// talking is how long after the last envelope a conversation is taken to go
	// on: its circuit is renewed. Later it is let go.
	talking = 5 * time.Minute

	// inboundGrace is what the end that was dialled leaves the other to renew.
	inboundGrace = 2 * time.Second

	spareQuiet  = 3 * time.Second  // without a byte, until a spare circuit is closed
	spareBehind = 20 * time.Second // kept behind a direct connection, which may fail at once
)

// renewal is the state of getting a neighbour a fresh circuit.
type renewal struct {
	running  bool
	failures int
	notYet   time.Time // no earlier than this
}

// failing says that the last try failed, and the next has to wait.
func (r *renewal) failing(now time.Time) bool {
	return r.failures > 0 && !r.running && now.Before(r.notYet)
}

// tendCircuit renews a circuit that is in use before its relay ends it, and
// returns when to look again; zero: no need. l.mu is held.
func (l *Links) tendCircuit(c *conn, now time.Time) (next time.Time) {
	if c != c.of.used {
		if c.path.Relayed {
			next = later(now.Add(time.Second), c.spare.Add(spareQuiet))
		}
		return next
	}
	if c.quota == nil {
		return time.Time{}
	}
	at := c.quota.renewAt(c.dialled())
	if c.quota.low() || len(c.of.held) > 0 {
		at = now
	}
	if at.IsZero() || at.After(now) {
		return at
	}
	if l.talks(c.of, now) {
		l.renew(c.of)
	}
	return now.Add(renewPause)
}

// talks says that a conversation with n goes on. l.mu is held.
func (l *Links) talks(n *neighbour, now time.Time) bool {
	_, waited := l.watched[n.key]
	return waited || now.Sub(n.talked) < talking
}

// isSpare says that a circuit can be closed: another connection is used, it has
// proven itself, and nothing is under way on this one. l.mu is held.
func (l *Links) isSpare(c *conn, now time.Time) bool {
	n := c.of
	if c == n.used || !c.path.Relayed || c.spare.IsZero() {
		return false
	}
	wait := spareQuiet
	if !n.used.path.Relayed {
		wait = spareBehind
	}
	frames, _ := c.unanswered()
	return frames == 0 && c.in == 0 && n.used.life.last().After(c.spare) &&
		now.Sub(c.spare) >= wait && now.Sub(c.life.last()) >= spareQuiet
}

// renew dials n anew beside the circuit there is, soon. l.mu is held.
func (l *Links) renew(n *neighbour) {
	r, now := &n.renewal, time.Now()
	c := n.used
	if r.running || n.gone || now.Before(r.notYet) {
		l.advance(&c.next, later(r.notYet, now.Add(100*time.Millisecond)))
		return
	}
	if c.wanted.IsZero() {
		c.wanted = now
	}
	if due := c.wanted.Add(inboundGrace); !c.dialled() && now.Before(due) {
		l.advance(&c.next, due)
		return
	}
	r.running = l.spawnLocked(func(ctx context.Context) { l.renewed(n, l.dialCircuit(ctx, c)) })
}

// renewed notes how it went. What waited for a fresh circuit goes over it, or
// cannot go.
func (l *Links) renewed(n *neighbour, err error) {
	l.mu.Lock()
	r := &n.renewal
	r.running = false
	r.notYet = time.Now().Add(renewPause)
	was := r.failures
	r.failures = 0
	then := func() {}
	if err != nil {
		r.notYet = time.Now().Add(min(renewRetry<<min(was, 5), maxRenewWait))
		r.failures = was + 1
		if len(n.held) > 0 {
			then = n.failHeld(ErrLimit)
			l.noteLost(n) // so that whoever sent it looks for another way now
		}
	}
	if !n.gone {
		l.advance(&n.used.next, r.notYet)
	}
	l.mu.Unlock()
	l.count.renewed(err)
	if err != nil {
		logger.Debugw("circuit not renewed", "peer", n.id, "err", err)
	}
	then()
}
