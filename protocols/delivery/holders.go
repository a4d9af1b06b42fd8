package delivery

import (
	"fmt"
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// The last rung of the ladder are holders, who keep a message until its
// recipient comes. They are asked once for each message, when nothing better
// has got it through for a while; who does the asking, and sees to it that
// enough holders live, is not this machine's business: it says which messages
// are in need, and hears how they stand.

// Timing of the last rung.
const (
	placeWait  = time.Second     // head start of all other paths
	placeAgain = 3 * time.Second // between two looks at paths that seem to do
)

// pathHolders is the path of a message that holders keep, in traces.
const pathHolders = "holders"

// Placement asks for a message to be brought to holders.
type Placement struct {
	ID     envelope.ID
	To     protocols.Key
	Digest envelope.Digest
	End    time.Time
	Size   int
	Kept   []protocols.Key // who held it when the process last ran
}

// Holder is a node that has signed for keeping a message, or is named as a holder
// by one that has.
type Holder struct {
	Key  protocols.Key
	End  time.Time // until when it has promised to; zero if it signed to another
	Live bool      // it answers, and has shown that it has the message
}

// Promise is a relay's that could not pass a message on, and keeps it.
type Promise struct {
	Digest envelope.Digest
	Holder protocols.Key
	End    time.Time
}

// UseHolders has messages brought to holders; without it there are none.
func (m *Machine) UseHolders() { m.holders = true }

// Placed is how many messages are with holders, or on their way there.
func (m *Machine) Placed() int { return m.placed }

// shelve puts a sealed message on the list of those that holders may have to
// keep.
func (m *Machine) shelve(now time.Time, p *peer, t *tracked) {
	if !m.holders {
		return
	}
	p.unplaced = append(p.unplaced, t)
	if p.placing.index == 0 {
		m.timers.arm(&p.placing, now.Add(placeWait))
	}
}

// place has holders keep what nothing else gets through.
func (m *Machine) place(now time.Time, p *peer) {
	open := p.unplaced[:0]
	for _, t := range p.unplaced {
		if m.byID[t.ID] == t && t.held == 0 {
			open = append(open, t)
		}
	}
	clear(p.unplaced[len(open):])
	if p.unplaced = open; len(open) == 0 {
		p.unplaced = nil
		return
	}
	if m.getsThrough(now, p) {
		m.timers.arm(&p.placing, now.Add(placeAgain))
		return
	}
	for _, t := range open {
		m.placeOne(now, t)
	}
	p.unplaced = nil
}

func (m *Machine) placeOne(now time.Time, t *tracked) {
	t.held = t.attempt(Attempt{At: now, Path: pathHolders})
	m.placed++
	m.ready.Place = append(m.ready.Place, Placement{ID: t.ID, To: t.To, Digest: t.Digest, End: t.End, Size: t.Size, Kept: t.Kept})
	t.Kept = nil
}

// Kept takes the answer of a relay that keeps a message which it could not pass
// on, and its promise, whose signature is verified. It counts as a holder if it
// was chosen to be on the way: else anybody who has seen the message could make
// up as many as are wanted.
func (m *Machine) Kept(now time.Time, relay protocols.Key, a envelope.Answer, p Promise) {
	t, ok := m.byMark[a.Digest]
	if !ok || t.passage == nil {
		return
	}
	if p.Digest != t.Digest { // it is as if the relay had not taken it
		a = envelope.Answer{Digest: a.Digest, Code: envelope.Refused, Reason: envelope.ReasonNoRoute}
	}
	y := t.passage.by(relay)
	m.Answered(now, relay, a)
	if a.Code != envelope.Stored || y == nil || !slices.Contains(y.rung.route, p.Holder) || !m.holders || m.byID[t.ID] != t {
		return
	}
	if t.held == 0 { // there is no doubt any more that the recipient is away
		m.placeOne(now, t)
	}
	m.ready.Promised = append(m.ready.Promised, p)
}

// getsThrough says that the recipient takes what it is sent, or has just done.
func (m *Machine) getsThrough(now time.Time, p *peer) bool {
	return p.up && !p.blocked() || now.Sub(p.lastReceipt) < placeAgain
}

// Held says how a message stands with its holders; enough, that as many as
// should have signed.
func (m *Machine) Held(now time.Time, id envelope.ID, holders []Holder, enough bool) {
	t, ok := m.byID[id]
	if !ok || t.held == 0 {
		return
	}
	t.holders = holders
	live := 0
	for _, h := range holders {
		if h.Live {
			live++
		}
	}
	t.note(t.held, fmt.Sprintf("%d, of whom %d live", len(holders), live))
	if enough && t.State < Stored {
		t.State, t.at = Stored, now
		m.changed(now, t)
	}
}

// unplace has holders forgotten of a message that is final.
func (m *Machine) unplace(t *tracked) {
	if t.held > 0 {
		m.placed--
		m.ready.Release = append(m.ready.Release, t.Digest)
	}
}
