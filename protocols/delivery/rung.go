package delivery

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// relay is a neighbour that routes begin with, for all recipients.
type relay struct {
	key        protocols.Key
	len, bytes int           // copies that it has not answered for
	roundTrip  time.Duration // smoothed, from written to answered; zero if not known
	rungs      int           // that begin with it
}

// rung is one route to one recipient, as a step of its ladder.
type rung struct {
	route       Route
	relay       *relay
	first, last *try // not answered, by time
	lastAnswer  time.Time
	doubted     bool      // silent for longer than its answers take
	failedAt    time.Time // it refused, or was silent; zero once it got something through
}

// try is one copy of a message, on its way over a rung.
type try struct {
	t          *tracked
	rung       *rung
	sentAt     time.Time // when its bytes left, or were to leave
	line       int       // of the message's trace
	open       bool      // in the rung's list
	answered   bool
	prev, next *try
}

// add puts a try at the end of the rung's list.
func (r *rung) add(y *try) {
	y.open, y.prev, y.next = true, r.last, nil
	if r.last == nil {
		r.first = y
	} else {
		r.last.next = y
	}
	r.last = y
	r.relay.len++
	r.relay.bytes += y.t.Size
}

// remove takes a try out of the rung's list.
func (r *rung) remove(y *try) {
	if y.prev == nil {
		r.first = y.next
	} else {
		y.prev.next = y.next
	}
	if y.next == nil {
		r.last = y.prev
	} else {
		y.next.prev = y.prev
	}
	y.open, y.prev, y.next = false, nil, nil
	r.relay.len--
	r.relay.bytes -= y.t.Size
}

// room says that the relay may be given one more envelope.
func (r *relay) room() bool { return r.len < relayMessages && r.bytes < relayBytes }

// delay is the head start that the rung has over the next one.
func (r *rung) delay() time.Duration { return max(rungDelay, 3*r.relay.roundTrip) }

// doubtAt is when the rung has been silent for too long, if nothing is answered
// on it till then: answers to others hold the ladder back.
func (r *rung) doubtAt() time.Time { return later(r.first.sentAt, r.lastAnswer).Add(r.delay()) }

// wary says that the rung failed lately: others come first.
func (r *rung) wary(now time.Time) bool { return r.doubted || now.Sub(r.failedAt) < failedLife }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// smooth takes a sample into a smoothed time; the first one counts in full.
func smooth(old, sample time.Duration) time.Duration {
	if old == 0 {
		return max(sample, time.Microsecond)
	}
	return max(old+(sample-old)/8, time.Microsecond)
}

// sound says that a route can lead from this machine's node to k: it has one to
// four relays, none of them twice, and none that is k.
func (r Route) sound(k protocols.Key) bool {
	if len(r) == 0 || len(r) > maxRoute {
		return false
	}
	for i, via := range r {
		if via == k || via == (protocols.Key{}) || slices.Contains(r[:i], via) {
			return false
		}
	}
	return true
}

// rung is the one of p that takes the route, made if need be.
func (m *Machine) rung(p *peer, route Route) *rung {
	for _, r := range p.rungs {
		if slices.Equal(r.route, route) {
			return r
		}
	}
	by := m.relays[route[0]]
	if by == nil {
		by = &relay{key: route[0]}
		m.forgetRelays()
		m.relays[by.key] = by
	}
	by.rungs++
	r := &rung{route: route, relay: by}
	p.rungs = append(p.rungs, r)
	return r
}

// forgetRelays keeps the relays that nothing begins with few.
func (m *Machine) forgetRelays() {
	if len(m.relays) < maxRelays {
		return
	}
	for k, r := range m.relays {
		if r.rungs == 0 {
			delete(m.relays, k)
		}
	}
}

// keepRungs forgets the rungs that are not wanted and on which nothing is open.
func (p *peer) keepRungs(wanted []*rung) {
	p.rungs = slices.DeleteFunc(p.rungs, func(r *rung) bool {
		gone := r.first == nil && !slices.Contains(wanted, r)
		if gone {
			r.relay.rungs--
		}
		return gone
	})
}
