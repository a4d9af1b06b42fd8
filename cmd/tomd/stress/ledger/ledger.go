// Package ledger keeps the books of a run: what was sent, what the sender's
// daemon says became of it, and what the other end has. Both columns are filled
// independently, by id; [Ledger.Counts] compares them. Pure.
//
// A message is named twice. Its [Key] is in its body and known before it is
// sent, so that what arrives can be told even if the daemon died before it
// answered; its id comes from the daemon when it is accepted. Every try has a
// key of its own: what was not answered is sent again under another one.
package ledger

import (
	"fmt"
	"slices"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/hist"
)

// Key names one try to send one message: the number is used once in a run.
type Key struct {
	From, To string
	N        int
}

// entry is what is known of one try.
type entry struct {
	key      Key
	id       string
	sent     time.Time // before the send, or when it was due
	accepted bool
	refused  bool
	silent   bool // not answered: whether it was accepted is unknown
	stored   bool
	relayed  bool
	over     bool      // expired or failed
	signed   time.Time // when its receipt was seen
	received time.Time
	arrivals int
}

// Ledger holds the entries of one run. Make one with New. It is not for use by
// several goroutines at once.
type Ledger struct {
	entries map[Key]*entry
	byID    map[string]*entry
	early   map[string][]change // of ids that nobody was told yet
	newest  map[[2]string]int   // by conversation: the highest number that came
	open    int                 // accepted, and neither signed for nor over
	strange int                 // arrivals that nobody sent
	late    int                 // arrivals after one with a higher number
	swapped int                 // arrivals under another id than they were accepted with
}

// change is a state of a message that was told before its id.
type change struct {
	state State
	at    time.Time
}

// State is what a daemon says became of a message it had accepted.
type State int

// The states that count here.
const (
	Relayed   State = iota // a relay has taken it
	Stored                 // holders have signed for it
	Delivered              // the recipient has
	Over                   // it expired or failed
)

// maxEarly bounds the ids that are waited for: more can only be others' messages.
const maxEarly = 100_000

// New makes an empty ledger.
func New() *Ledger {
	return &Ledger{
		entries: make(map[Key]*entry), byID: make(map[string]*entry),
		early: make(map[string][]change), newest: make(map[[2]string]int),
	}
}

// Sent notes a try before it is made. Time runs from at.
func (l *Ledger) Sent(k Key, at time.Time) error {
	if l.entries[k] != nil {
		return fmt.Errorf("number %d from %s to %s is used already", k.N, k.From, k.To)
	}
	l.entries[k] = &entry{key: k, sent: at}
	return nil
}

// Accepted notes that the daemon has taken a message, under an id.
func (l *Ledger) Accepted(k Key, id string) error {
	e := l.entries[k]
	if e == nil {
		return fmt.Errorf("%s was accepted and never sent", id)
	}
	if other := l.byID[id]; other != nil {
		return fmt.Errorf("the id %s was given to %v and to %v", id, other.key, k)
	}
	if e.id != "" && e.id != id { // it has arrived already
		l.swapped++
	}
	e.accepted, e.id = true, id
	l.byID[id] = e
	l.open++
	for _, c := range l.early[id] {
		l.become(e, c)
	}
	delete(l.early, id)
	return nil
}

// Unanswered notes that the daemon went away before it answered.
func (l *Ledger) Unanswered(k Key) {
	if e := l.entries[k]; e != nil {
		e.silent = true
	}
}

// Refused notes that the daemon has answered that it will not take it.
func (l *Ledger) Refused(k Key) {
	if e := l.entries[k]; e != nil {
		e.refused = true
	}
}

// Became notes what the sender's daemon says of a message.
func (l *Ledger) Became(id string, s State, at time.Time) {
	c := change{s, at}
	if e := l.byID[id]; e != nil {
		l.become(e, c)
		return
	}
	if len(l.early) < maxEarly || l.early[id] != nil {
		l.early[id] = append(l.early[id], c)
	}
}

func (l *Ledger) become(e *entry, c change) {
	done := e.done()
	switch c.state {
	case Relayed:
		e.relayed = true
	case Stored:
		e.stored = true
	case Over:
		e.over = true
	case Delivered:
		if e.signed.IsZero() {
			e.signed = c.at
		}
	}
	if !done && e.done() {
		l.open--
	}
}

// done says that the sender's daemon does nothing more for it.
func (e *entry) done() bool { return e.over || !e.signed.IsZero() }

// UnderWay is how many were sent, and how many of them are accepted and neither
// signed for nor over. It costs nothing.
func (l *Ledger) UnderWay() (sent, open int) { return len(l.entries), l.open }

// Received notes an arrival at the other end.
func (l *Ledger) Received(k Key, id string, at time.Time) {
	e := l.entries[k]
	if e == nil {
		l.strange++
		return
	}
	if e.id != "" && e.id != id {
		l.swapped++
	}
	if e.id == "" {
		e.id = id
	}
	e.arrivals++
	if e.arrivals > 1 {
		return
	}
	e.received = at
	talk := [2]string{k.From, k.To}
	if k.N < l.newest[talk] {
		l.late++
	}
	l.newest[talk] = max(l.newest[talk], k.N)
}

// Told notes what a listener elsewhere says it has of a conversation: numbers
// that came, and how many came more than once. It replaces nothing that was
// counted here; a ledger is filled in one way or the other.
func (l *Ledger) Told(from, to string, has func(n int) bool, twice, strange int) {
	l.strange += strange
	for k, e := range l.entries {
		if k.From != from || k.To != to || !has(k.N) {
			continue
		}
		e.arrivals = 1
		if twice > 0 {
			e.arrivals, twice = 2, twice-1
		}
	}
}

// Settled says that nothing more is to come: each message that was accepted is
// with its recipient and signed for, or has ended.
func (l *Ledger) Settled() bool {
	if l.open > 0 {
		return false
	}
	for _, e := range l.entries {
		if e.accepted && !e.over && e.arrivals == 0 {
			return false
		}
	}
	return true
}

// Signed says that a receipt for each accepted message was seen, or it has ended.
func (l *Ledger) Signed() bool { return l.open == 0 }

// IDs are the ids of what was accepted, in the order of their numbers.
func (l *Ledger) IDs() []string {
	var all []*entry
	for _, e := range l.byID {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *entry) int { return a.key.N - b.key.N })
	ids := make([]string, len(all))
	for i, e := range all {
		ids[i] = e.id
	}
	return ids
}

// Came says that a message with a number above n is at the other end.
func (l *Ledger) Came(n int) bool {
	for _, newest := range l.newest {
		if newest > n {
			return true
		}
	}
	return false
}

// Keys are those of the first messages that were accepted, at most so many.
func (l *Ledger) Keys(most int) (keys []Key) {
	for _, id := range l.IDs() {
		if len(keys) == most {
			break
		}
		keys = append(keys, l.byID[id].key)
	}
	return keys
}

// Latency is the distribution of the times from before the send to the receipt.
func (l *Ledger) Latency() *hist.Histogram { return l.LatencyOf(func(Key) bool { return true }) }

// LatencyOf is [Ledger.Latency] for some of the messages.
func (l *Ledger) LatencyOf(wanted func(Key) bool) *hist.Histogram {
	h := new(hist.Histogram)
	for k, e := range l.entries {
		if e.accepted && !e.signed.IsZero() && wanted(k) {
			h.Observe(e.signed.Sub(e.sent))
		}
	}
	return h
}
