package stress

import (
	"context"
	"maps"
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
	ways    map[string]int // how what came has come
	failed  error          // of keeping the ledger: an id given twice
}

func newBook(run string) *book { return &book{run: run, ledger: ledger.New(), ways: map[string]int{}} }

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

// numbers is how many numbers were given.
func (b *book) numbers() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.number
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

// nextToAll is next for a message that goes to several, under one number.
func (b *book) nextToAll(from string, readers []string, due time.Time) Probe {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.number++
	for _, reader := range readers {
		b.fail(b.ledger.Sent(ledger.Key{From: from, To: reader, N: b.number}, due))
	}
	return Probe{Run: b.run, From: from, To: "all", N: b.number}
}

// acceptedForAll notes that a message to several was accepted: for each of them
// under an id of its own.
func (b *book) acceptedForAll(p Probe, id string, readers []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, reader := range readers {
		b.fail(b.ledger.Accepted(ledger.Key{From: p.From, To: reader, N: p.N}, id+"@"+reader))
	}
}

// becameForAll notes that all have signed for a message, or that nobody ever will.
func (b *book) becameForAll(id string, signed bool, readers []string, at time.Time) {
	state := ledger.Over
	if signed {
		state = ledger.Delivered
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, reader := range readers {
		b.ledger.Became(id+"@"+reader, state, at)
	}
}

// heard notes a message that has come, if it is of this run.
func (b *book) heard(m *localapi.Received, at time.Time) {
	p, whole, err := ParseProbe(m.Content)
	if err != nil || p.Run != b.run {
		return
	}
	b.arrived(p, m.ID, whole, at)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ways[m.Path]++
}

func (b *book) arrived(p Probe, id string, whole bool, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ledger.Received(p.key(), id, at)
	if !whole {
		b.spoiled++
	}
}

// came is how what came has come, as those say who got it.
func (b *book) came() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.ways)
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
