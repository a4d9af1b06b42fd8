package store_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/node/store/kv/kvtest"
	"github.com/tom-protocol/tom/protocols/delivery"
)

// ledger is what done has spoken of.
type ledger struct {
	accepted, received map[int]bool
	highest            store.Cursor
}

func (l ledger) clone() ledger {
	c := ledger{make(map[int]bool), make(map[int]bool), l.highest}
	for n := range l.accepted {
		c.accepted[n] = true
	}
	for n := range l.received {
		c.received[n] = true
	}
	return c
}

// moment is the disk as a power failure leaves it, and what was confirmed.
type moment struct {
	fs   *vfs.MemFS
	then ledger
}

// witness takes a moment before every sync.
type witness struct {
	mem kvtest.Crashable

	mu      sync.Mutex
	rng     *rand.Rand
	ledger  ledger
	moments []moment
}

func (w *witness) String() string { return "witness" }

// MaybeError implements errorfs.Injector.
func (w *witness) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		w.mu.Lock()
		defer w.mu.Unlock()
		// First what was confirmed, then the disk: what is confirmed in between
		// may be there too.
		then := w.ledger.clone()
		percent := []int{0, 30, 100}[len(w.moments)%3]
		fs := w.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: w.rng})
		w.moments = append(w.moments, moment{fs, then})
	}
	return nil
}

func (w *witness) note(fn func(l *ledger)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn(&w.ledger)
}

// TestConfirmedSurvivesACrashAtEverySync sends, receives and delivers, and then
// looks at what a power failure before each sync would have left: everything
// confirmed by then is there once, nothing is there by half, and the counts are
// right.
func TestConfirmedSurvivesACrashAtEverySync(t *testing.T) {
	t.Parallel()
	mem := kvtest.NewCrashable()
	wit := &witness{mem: mem, rng: rand.New(rand.NewPCG(1, 2)), ledger: ledger{}.clone()}
	rows, err := kv.Open("data", kv.Options{FS: errorfs.Wrap(mem, wit), Memtable: 128 << 10})
	must(t, err)
	w := openWorld(t, rows, &clock{now: noon}, store.Config{})
	for round := range 25 {
		w.round(round, wit)
	}
	must(t, w.Close())
	if len(wit.moments) < 40 {
		t.Fatalf("only %d moments", len(wit.moments))
	}
	for i, m := range wit.moments {
		checkMoment(t, i, m)
	}
}

// round accepts and receives eight messages each, and delivers half of what it
// accepted.
func (w *world) round(round int, wit *witness) {
	var out []*store.Outgoing
	var in []*store.Incoming
	var states []store.Status
	for i := range 8 {
		n := round*8 + i
		o := w.outgoing(n)
		o.Envelope = make([]byte, 600)
		out, in = append(out, o), append(in, w.incoming(n))
		if i%2 == 0 {
			states = append(states, w.status(n, delivery.Delivered))
		}
	}
	var both sync.WaitGroup
	both.Add(2)
	switch round % 3 {
	case 1: // a commit that only accepts
		in = nil
	case 2: // one that only receives
		out, states = nil, nil
	}
	w.Accept(out, func(first store.Cursor, err error) {
		defer both.Done()
		must(w.t, err)
		wit.note(func(l *ledger) {
			for i := range out {
				l.accepted[round*8+i] = true
			}
			l.highest = max(l.highest, first+store.Cursor(len(out))-1)
		})
	})
	w.Receive(in, func(first store.Cursor, err error) {
		defer both.Done()
		must(w.t, err)
		wit.note(func(l *ledger) {
			for i := range in {
				l.received[round*8+i] = true
			}
			l.highest = max(l.highest, first+store.Cursor(len(in))-1)
		})
	})
	both.Wait()
	w.SaveStatus(states)
}

func checkMoment(t *testing.T, i int, m moment) {
	t.Helper()
	rows, err := kv.Open("data", kv.Options{FS: m.fs})
	must(t, err)
	w := openWorld(t, rows, &clock{now: noon.Add(time.Second)}, store.Config{})
	defer func() { must(t, w.Close()) }()
	if err := w.Audit(); err != nil {
		t.Errorf("moment %d: %v", i, err)
	}
	for n := range m.then.accepted {
		st, err := w.Status(id(n))
		if err != nil {
			t.Errorf("moment %d: accepted message %d: %v", i, n, err)
			continue
		}
		if _, err := w.Load(id(n)); err != nil && !st.State.Final() {
			t.Errorf("moment %d: content of message %d: %v", i, n, err)
		}
	}
	count := make(map[string]int)
	for _, in := range w.inbox(store.Query{}) {
		count[string(in.Content)]++
	}
	for body, c := range count {
		if c != 1 {
			t.Errorf("moment %d: %s is there %d times", i, body, c)
		}
	}
	for n := range m.then.received {
		if count[fmt.Sprintf("body %d", n)] != 1 {
			t.Errorf("moment %d: received message %d is not there", i, n)
		}
		if _, seen, err := w.Seen(key(3), id(n)); seen != store.Seen || err != nil {
			t.Errorf("moment %d: received message %d is not in the window: %v, %v", i, n, seen, err)
		}
	}
	if _, newest := w.Cursors(); newest < m.then.highest {
		t.Errorf("moment %d: newest number %d, %d was given", i, newest, m.then.highest)
	}
}
