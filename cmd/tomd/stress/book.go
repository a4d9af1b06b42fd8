package stress

import (
	"context"
	"sync"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
	"github.com/tom-protocol/tom/node/localapi"
)

// book is a ledger that several goroutines write.
type book struct {
	run string

	mu      sync.Mutex
	ledger  *ledger.Ledger
	number  int
	spoiled int
	failed  error // of keeping the ledger: an id given twice
}

func newBook(run string) *book { return &book{run: run, ledger: ledger.New()} }

// do runs f with the ledger.
func (b *book) do(f func(l *ledger.Ledger)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b.ledger)
}

// next gives a number that was not given before, and notes a try under it.
func (b *book) next(from, to string, due time.Time) Probe {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.number++
	p := Probe{Run: b.run, From: from, To: to, N: b.number}
	b.fail(b.ledger.Sent(p.key(), due))
	return p
}

func (b *book) accepted(p Probe, id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail(b.ledger.Accepted(p.key(), id))
}

// fail keeps the first error, under the lock.
func (b *book) fail(err error) {
	if b.failed == nil {
		b.failed = err
	}
}

func (b *book) err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

// heard notes a message that has come, if it is of this run.
func (b *book) heard(id string, c localapi.Content, at time.Time) {
	p, whole, err := ParseProbe(c)
	if err != nil || p.Run != b.run {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ledger.Received(p.key(), id, at)
	if !whole {
		b.spoiled++
	}
}

// states are what counts of the states a daemon tells.
var states = map[localapi.State]ledger.State{
	localapi.Relayed: ledger.Relayed, localapi.Stored: ledger.Stored, localapi.Delivered: ledger.Delivered,
	localapi.Expired: ledger.Over, localapi.Failed: ledger.Over,
}

// became notes what the sender's daemon tells.
func (b *book) became(id string, s localapi.State, at time.Time) {
	if state, counts := states[s]; counts {
		b.do(func(l *ledger.Ledger) { l.Became(id, state, at) })
	}
}

// look is how often a condition on a ledger is asked for: it reads all of it.
const look = 50 * time.Millisecond

// until returns true when the condition holds, and false when the time is over
// or ctx ends.
func (b *book) until(ctx context.Context, patience time.Duration, holds func(l *ledger.Ledger) bool) (ok bool) {
	end := time.NewTimer(patience)
	defer end.Stop()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		b.do(func(l *ledger.Ledger) { ok = holds(l) })
		if ok {
			return true
		}
		select {
		case <-tick.C:
		case <-end.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}
