package links

import (
	"context"
	"time"
)

// drainTime is how long an envelope may stay unanswered on a stream that has a
// successor.
const drainTime = 10 * time.Second

// moveOn has what is sent from now on go over streams on another connection
// than c. What is on its way on c is let arrive, and be answered; what waits for
// a stream to open comes along. l.mu is held.
func (l *Links) moveOn(c *conn) {
	n, now := c.of, time.Now()
	c.spare = now
	for k, o := range c.out {
		if o == nil {
			continue
		}
		c.out[k] = nil
		o.since = now
		if n.draining == nil {
			n.draining = make(map[*outgoing]struct{})
		}
		n.draining[o] = struct{}{}
		o.retired.Store(true)
		if o.line == nil {
			o.frames.Add(-int64(len(o.waiting)))
			o.pending.Add(-int64(o.bytes))
			n.held = append(n.held, o.waiting...)
			n.heldBytes += o.bytes
			o.waiting, o.bytes = nil, 0
		}
		o.endIfDrained()
	}
	l.advance(&c.next, now.Add(fastBeat))
}

// endDrained ends o if it was retired and has had all its answers.
func (l *Links) endDrained(o *outgoing) {
	if !o.retired.Load() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	o.endIfDrained()
}

func (o *outgoing) endIfDrained() {
	if o.retired.Load() && o.line != nil && o.frames.Load() <= 0 {
		o.line.Close() // writes what is queued first
	}
}

// drainBy ends streams on c that were retired too long ago, and returns when
// the next one of them is due; zero: none. l.mu is held.
func (c *conn) drainBy(now time.Time) (next time.Time) {
	for o := range c.of.draining {
		if o.conn != c || o.line == nil {
			continue
		}
		if due := o.since.Add(drainTime); !due.After(now) {
			o.line.Close()
		} else {
			next = sooner(next, due)
		}
	}
	return next
}

// hold keeps w until a circuit has room for it, and sees to it that one comes.
// l.mu is held.
func (l *Links) hold(n *neighbour, w waiting) error {
	if !n.used.quota.fits(len(w.frame)) || n.renewal.failing(time.Now()) {
		return ErrLimit
	}
	if len(n.held) >= maxWaiting || n.heldBytes+len(w.frame) > maxWaitingBytes {
		return ErrFull
	}
	n.held = append(n.held, w)
	n.heldBytes += len(w.frame)
	l.renew(n)
	return nil
}

// release sends what was held, over whatever connection is used now. l.mu is
// held.
func (l *Links) release(n *neighbour) {
	held := n.held
	n.held, n.heldBytes = nil, 0
	if len(held) == 0 {
		return
	}
	sent := l.spawnLocked(func(context.Context) {
		for _, w := range held {
			if err := l.send(n.id, w); err != nil {
				w.failed(err)
			}
		}
	})
	if !sent {
		n.held = held // the end of Run tells
	}
}

// failHeld tells that what was held cannot go, once Links.mu is free. l.mu is
// held.
func (n *neighbour) failHeld(err error) (then func()) {
	held := n.held
	n.held, n.heldBytes = nil, 0
	return func() {
		for _, w := range held {
			w.failed(err)
		}
	}
}

// sooner is the earlier of two times that are set.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
