package discovery

import (
	"bytes"
	"time"
)

// When a node that offers a role says so. The topic carries at most about one
// record in 24 seconds for all, however many there are: what 25 say who repeat it
// as often as any may. With a faster topic the traffic of a node would still grow
// with the network beyond that.
const (
	presenceLeast  = 10 * time.Minute // between two that say the same
	presencePer    = 24 * time.Second // and so much for each node that offers something
	presenceChange = 5 * time.Minute  // between two that say something else
	presenceLives  = 3                // intervals
)

// presenceInterval is how often a node says where it is while n nodes do.
func presenceInterval(n int) time.Duration {
	return max(presenceLeast, time.Duration(n)*presencePer)
}

// announcer decides when to say what. The first time comes at random within the
// interval: a network that is switched on does not speak all at once, and who
// needs a relay sooner learns of it from hellos and from the DHT.
type announcer struct {
	spread  float64 // of this node, from 0 to 1
	offered time.Time
	last    time.Time // zero: never
	said    []byte    // what was said last; nil: nothing is on offer
}

// due is when what is to be said, now that n nodes are heard of, what is nil if
// nothing is on offer. It is zero if nothing is to be said.
func (a *announcer) due(now time.Time, what []byte, n int) time.Time {
	switch {
	case what == nil && a.said == nil:
		a.offered = time.Time{}
		return time.Time{}
	case a.last.IsZero():
		if a.offered.IsZero() {
			a.offered = now
		}
		return a.offered.Add(time.Duration(a.spread * float64(presenceInterval(n))))
	case !bytes.Equal(what, a.said):
		return a.last.Add(presenceChange)
	}
	every := presenceInterval(n)
	return a.last.Add(every + time.Duration((1-a.spread)*float64(every/5)))
}

// spoke notes what was said.
func (a *announcer) spoke(now time.Time, what []byte) { a.last, a.said = now, bytes.Clone(what) }
