// Package clock tells the time of a node, which is used everywhere instead of
// the wall's.
//
// Two things about it differ from the wall clock. It never runs backward, over
// restarts thanks to a floor its owner keeps: what has died stays dead, and what
// was refused as too old is never taken again. And it knows when it is in doubt:
// if the wall leaps more than an hour ahead of the time that has really passed,
// everything would be over its end at once, so nothing may be destroyed until
// two connected peers agree. A laptop that slept is no such case where the
// system can tell how long it slept.
//
// When the wall is set back, the clock goes on at half speed until the wall has
// caught up. To stand still would be as monotone, but would stop every timer.
package clock

import (
	"sync"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// leap is by how much the wall may outrun the time passed without doubt.
const leap = time.Hour

// Clock tells the time of a node. It is safe for concurrent use.
type Clock struct {
	read  func() reading
	slept func() time.Duration

	mu    sync.Mutex
	last  reading   // the last one taken
	now   time.Time // the last time told
	sleep sleep
	peers peers
	doubt bool
}

// reading is the wall's time and, from an arbitrary start, the time passed.
type reading struct {
	wall   time.Time
	passed time.Duration
}

// New returns a clock that follows wall, but tells no time before floor. If
// wall's times carry Go's monotonic reading, as time.Now's do, leaps are noticed.
func New(wall func() time.Time, floor time.Time) *Clock {
	start := wall()
	return newClock(floor, systemSlept, func() reading {
		t := wall()
		return reading{wall: t.Round(0), passed: t.Sub(start)}
	})
}

func newClock(floor time.Time, slept func() time.Duration, read func() reading) *Clock {
	c := &Clock{read: read, slept: slept, last: read(), peers: make(peers)}
	c.now = c.last.wall
	if c.now.Before(floor) {
		c.now = floor
	}
	c.sleep.keep(slept, c.last.passed)
	return c
}

// Now returns the time. It is never before one that was returned earlier.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.advance()
}

// advance takes a reading and returns the time. The caller holds mu.
func (c *Clock) advance() time.Time {
	r := c.read()
	passed := max(0, r.passed-c.last.passed)
	if ahead := r.wall.Sub(c.now) - passed; ahead > leap {
		if ahead-c.sleep.since(c.slept) > leap {
			c.doubt = true
			clear(c.peers) // they were compared with another clock
		}
		c.sleep.keep(c.slept, r.passed)
	}
	if r.passed-c.sleep.at >= sleepStep {
		c.sleep.keep(c.slept, r.passed)
	}
	c.last = r
	if r.wall.After(c.now) {
		c.now = r.wall
	} else {
		c.now = c.now.Add(passed / 2)
	}
	return c.now
}

// Destroying says whether what is over its end may be destroyed now.
func (c *Clock) Destroying() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance()
	return !c.doubt
}

// Observe notes how far a connected peer's clock is ahead of this one.
func (c *Clock) Observe(p protocols.Key, offset time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.peers.note(p, offset)
	if c.doubt && c.peers.agreeing(protocols.Key{}) >= agreement {
		c.doubt = false
	}
}

// Forget drops what is known of a peer that is no longer connected.
func (c *Clock) Forget(p protocols.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.peers, p)
}

// Agreed says whether the clocks of two connected peers besides one, at least, tell
// what this one does.
func (c *Clock) Agreed(besides protocols.Key) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peers.agreeing(besides) >= agreement
}

// Offset returns by how much the median of the connected peers' clocks is
// ahead; ok is false with fewer than three of them.
func (c *Clock) Offset() (median time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peers.median()
}
