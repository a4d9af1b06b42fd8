package delivery

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// tracked is a message in the machine's hands.
type tracked struct {
	Message
	at        time.Time // when it came to its state
	sentAt    time.Time // when its bytes last left
	tries     int       // transmissions since the peer last came up
	reason    string
	successor envelope.ID
	receipt   uint64
	resealing bool
	taken     bool // so its newest hop answer says
	unsaved   bool // on the machine's list of states to write down

	ending timer // its lifetime
	retry  timer // its next try, or the end of its wait for a prekey

	in         *queue
	prev, next *tracked
}

// attempt opens a line in the message's trace.
func (t *tracked) attempt(now time.Time, path Path) {
	if len(t.Attempts) == maxAttempts {
		t.Attempts = slices.Delete(t.Attempts, 1, 2) // the first try stays
	}
	a := Attempt{At: now, Path: path.String(), Transport: path.Transport}
	if path.Relayed && path.Via != (protocols.Key{}) {
		a.Via = Route{path.Via}
	}
	t.Attempts = append(t.Attempts, a)
}

// unsent takes back a try that came to nothing.
func (t *tracked) unsent() {
	t.tries--
	t.Attempts = t.Attempts[:max(0, len(t.Attempts)-1)]
}

// result closes the newest line.
func (t *tracked) result(what string) {
	if n := len(t.Attempts); n > 0 {
		t.Attempts[n-1].Result = what
	}
}

func (t *tracked) report() Report {
	r := Report{
		Message: t.Message, At: t.at, Reason: t.reason,
		Successor: t.successor, Receipt: t.receipt,
	}
	if !t.State.Final() { // else the machine lets go of them
		r.Attempts = slices.Clone(t.Attempts)
	}
	if t.retry.index > 0 {
		r.Next = t.retry.at
	}
	if n := len(t.Attempts); n > 0 {
		r.Path = t.Attempts[n-1].Path
	}
	return r
}

// mergeAttempts puts a message's own tries and its peer's dials since then in
// one list, the oldest first.
func mergeAttempts(own, dials []Attempt, since time.Time) []Attempt {
	all := slices.Clone(own)
	for _, d := range dials {
		if !d.At.Before(since) {
			all = append(all, d)
		}
	}
	slices.SortStableFunc(all, func(a, b Attempt) int { return a.At.Compare(b.At) })
	if len(all) > maxAttempts {
		all = all[len(all)-maxAttempts:]
	}
	return all
}
