package delivery

import (
	"slices"

	"github.com/tom-protocol/tom/protocols"
)

// maxTries is how many copies over relays are remembered of a message, so that
// their late answers are known.
const maxTries = 16

// passage is how a message has gone over relays.
type passage struct {
	tries  []*try // the newest last
	round  int    // the peer's round that begins with since
	since  int    // the tries before belong to earlier rounds
	open   int    // neither answered nor given up
	taken  *try   // a relay says it has it; the receipt is waited for
	vain   bool   // one took it in this round, and no receipt came
	rounds int    // that ended so
}

// under says that a copy of the message is under way over relays, on a rung
// that is not in doubt or in the hands of a relay.
func (t *tracked) under() bool {
	y := t.passage
	if y == nil {
		return false
	}
	if y.taken != nil {
		return true
	}
	for _, try := range y.tries {
		if try.open && !try.rung.doubted {
			return true
		}
	}
	return false
}

// enter begins a new round of routes if the peer has.
func (t *tracked) enter(round int) *passage {
	if t.passage == nil {
		t.passage = &passage{round: round}
	}
	y := t.passage
	if y.round != round {
		y.round, y.since, y.vain = round, len(y.tries), false
	}
	return y
}

// tried says that the message went over the rung in this round.
func (y *passage) tried(r *rung) bool {
	return slices.ContainsFunc(y.tries[y.since:], func(t *try) bool { return slices.Equal(t.rung.route, r.route) })
}

// add remembers one more try.
func (y *passage) add(t *try) {
	if len(y.tries) == maxTries {
		y.tries = slices.Delete(y.tries, 0, 1)
		y.since = max(0, y.since-1)
	}
	y.tries = append(y.tries, t)
	y.open++
}

// by is the newest try that begins with the relay and is not answered, nil if
// there is none: nobody else's answer counts.
func (y *passage) by(relay protocols.Key) *try {
	for i := len(y.tries) - 1; i >= 0; i-- {
		if t := y.tries[i]; t.rung.relay.key == relay && !t.answered {
			return t
		}
	}
	return nil
}

// shut ends a try that is open: it is answered, given up or of no interest any
// more.
func (p *peer) shut(y *try) {
	if !y.open {
		return
	}
	y.rung.remove(y)
	y.t.passage.open--
	p.open--
	p.openBytes -= y.t.Size
}

// shutAll ends all tries of a message that leaves the machine.
func (p *peer) shutAll(t *tracked) {
	if t.passage == nil {
		return
	}
	for _, y := range t.passage.tries {
		p.shut(y)
	}
}
