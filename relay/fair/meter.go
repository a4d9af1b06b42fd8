package fair

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// Rate is what a key may ask for in the long run, and at once: so many seconds
// of it.
type Rate struct {
	Envelopes float64       // per second
	Bytes     float64       // per second
	Burst     time.Duration // how much of both may come at once
}

// Meter holds keys to a rate. It is not safe for concurrent use.
type Meter struct {
	keys  map[protocols.Key]debt
	crowd debt // of all who found no place in keys
	max   int
}

// debt is until when a key has used up its rate, in envelopes and in bytes.
type debt struct{ envelopes, bytes time.Time }

// NewMeter makes a meter for at most so many keys at a time; any others share
// the rate of one.
func NewMeter(keys int) *Meter {
	return &Meter{keys: make(map[protocols.Key]debt), max: keys}
}

// Wait is how long an envelope of so many bytes has to wait for the key's rate
// to allow it; zero: it may come now.
func (m *Meter) Wait(now time.Time, k protocols.Key, r Rate, size int) time.Duration {
	d := m.of(now, k).add(now, r, size)
	late := max(d.envelopes.Sub(now), d.bytes.Sub(now)) - r.Burst
	return max(late, 0)
}

// Charge notes that an envelope has come.
func (m *Meter) Charge(now time.Time, k protocols.Key, r Rate, size int) {
	d := m.of(now, k).add(now, r, size)
	if _, ok := m.keys[k]; !ok && len(m.keys) >= m.max {
		m.crowd = d
		return
	}
	m.keys[k] = d
}

func (m *Meter) of(now time.Time, k protocols.Key) debt {
	if d, ok := m.keys[k]; ok {
		return d
	}
	if len(m.keys) >= m.max {
		m.forget(now)
	}
	if len(m.keys) >= m.max {
		return m.crowd
	}
	return debt{}
}

// forget drops the keys that owe nothing.
func (m *Meter) forget(now time.Time) {
	for k, d := range m.keys {
		if !d.envelopes.After(now) && !d.bytes.After(now) {
			delete(m.keys, k)
		}
	}
}

// add is the debt with one envelope more. Nobody owes more than a burst: if it
// looks so, the clock was set back.
func (d debt) add(now time.Time, r Rate, size int) debt {
	most := now.Add(r.Burst)
	return debt{
		envelopes: earlier(later(d.envelopes, now), most).Add(seconds(1 / r.Envelopes)),
		bytes:     earlier(later(d.bytes, now), most).Add(seconds(float64(size) / r.Bytes)),
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
