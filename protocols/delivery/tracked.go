package delivery

import (
	"slices"
	"time"

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
	taken     bool // so its recipient's newest hop answer says
	departed  bool // it has been sent, by some path
	unsaved   bool // on the machine's list of states to write down

	lines   int      // of its trace that were ever opened
	own     int      // the newest of them that is about the connection
	order   uint64   // among all that went to its recipient over connections
	line    int      // the peer's line that it went out on, plus one; zero if on none
	passage *passage // nil if it never went over relays
	held    int      // the line that is about holders, zero without
	holders []Holder

	ending timer // its lifetime
	retry  timer // its next try, or the end of its wait for a prekey

	in         *queue
	prev, next *tracked
}

// attempt opens a line in the message's trace and returns its number.
func (t *tracked) attempt(a Attempt) int {
	if len(t.Attempts) == maxAttempts {
		t.Attempts = slices.Delete(t.Attempts, 1, 2) // the first try stays
	}
	t.Attempts = append(t.Attempts, a)
	t.lines++
	return t.lines
}

// unsent takes back a try over the connection that came to nothing.
func (t *tracked) unsent() {
	t.tries--
	t.line = 0
	if t.own == t.lines && t.lines > 0 {
		t.Attempts = t.Attempts[:len(t.Attempts)-1]
		t.lines--
	}
	t.own = 0
}

// note writes what came back into a line, if it is still there.
func (t *tracked) note(line int, what string) {
	at := len(t.Attempts) - 1 - (t.lines - line)
	switch {
	case line == 1:
		at = 0
	case line == 0 || at < 1:
		return
	}
	t.Attempts[at].Result = what
}

// result closes the newest line that is about the connection.
func (t *tracked) result(what string) { t.note(t.own, what) }

func (t *tracked) report() Report {
	r := Report{
		Message: t.Message, At: t.at, Reason: t.reason,
		Successor: t.successor, Receipt: t.receipt,
	}
	if !t.State.Final() { // else the machine lets go of them
		r.Attempts, r.Holders = slices.Clone(t.Attempts), t.holders
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
	all = inOrder(all)
	return all[max(0, len(all)-maxAttempts):]
}

// inOrder sorts attempts, the oldest first.
func inOrder(all []Attempt) []Attempt {
	slices.SortStableFunc(all, func(a, b Attempt) int { return a.At.Compare(b.At) })
	return all
}
