package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols/delivery"
	"pgregory.net/rapid"
)

// life is a store beside what it has promised.
type life struct {
	*world
	next     int
	sent     map[int]promise // accepted messages by number
	received map[int]promise
	highest  store.Cursor
}

type promise struct {
	end    time.Time
	cursor store.Cursor
	state  delivery.State // the highest ever saved
}

// TestPromisesAreKeptThroughAnything does what users, peers, clocks and power
// failures do, in any order, and looks after each step whether all that was
// confirmed and has not ended is there, once, and the counts are right.
func TestPromisesAreKeptThroughAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		l := &life{
			world: openWorld(t, kv.Memory(), &clock{now: noon}, store.Config{InboxLimit: 20_000}),
			sent:  make(map[int]promise), received: make(map[int]promise),
		}
		defer func() { _ = l.Close() }()
		rt.Repeat(map[string]func(*rapid.T){
			"accept":  l.acceptSome,
			"receive": l.receiveSome,
			"deliver": l.deliver,
			"read":    l.read,
			"name":    func(rt *rapid.T) { l.name(rt) },
			"wait": func(rt *rapid.T) {
				l.clock.advance(time.Duration(rapid.IntRange(1, 40*60).Draw(rt, "seconds")) * time.Second)
				must(t, l.Expire(l.clock.Now()))
			},
			"restart": func(*rapid.T) { l.world = l.reopened() },
			"crash": func(rt *rapid.T) {
				// What has just been confirmed is the easiest to lose.
				rapid.SampledFrom([]func(*rapid.T){l.acceptSome, l.receiveSome, l.deliver}).Draw(rt, "just before")(rt)
				rows := l.kv.(*kv.MemoryStore).Crash(rapid.IntRange(0, 3).Draw(rt, "unsynced"))
				_ = l.Close()
				l.world = openWorld(t, rows, l.clock, l.cfg)
			},
			"": l.check,
		})
	})
}

func (l *life) acceptSome(rt *rapid.T) {
	var out []*store.Outgoing
	for range rapid.IntRange(1, 4).Draw(rt, "messages") {
		l.next++
		o := l.outgoing(l.next)
		o.Lifetime = time.Duration(rapid.IntRange(1, 90).Draw(rt, "minutes")) * time.Minute
		out = append(out, o)
	}
	first, err := l.accept(out...)
	if err != nil {
		rt.Fatal(err)
	}
	l.number(rt, first)
	for i, o := range out {
		l.sent[l.next-len(out)+1+i] = promise{end: o.End(), cursor: first + store.Cursor(i), state: delivery.Queued}
	}
}

func (l *life) number(rt *rapid.T, first store.Cursor) {
	if first <= l.highest {
		rt.Fatalf("number %d after %d", first, l.highest)
	}
	_, l.highest = l.Cursors()
}

func (l *life) receiveSome(rt *rapid.T) {
	var in []*store.Incoming
	for range rapid.IntRange(1, 4).Draw(rt, "messages") {
		l.next++
		m := l.incoming(l.next)
		m.From = key(rapid.IntRange(3, 5).Draw(rt, "from"))
		m.Stranger = l.Stranger(m.From)
		m.End = m.Created.Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "minutes")) * time.Minute)
		m.Hidden = rapid.IntRange(0, 5).Draw(rt, "hidden") == 0
		in = append(in, m)
	}
	first, err := l.receive(in...)
	if err != nil {
		rt.Fatal(err)
	}
	stored := 0
	for _, m := range in {
		if m.Outcome != store.Storing {
			continue
		}
		stored++
		if !m.Hidden {
			l.received[int(m.ID[15])|int(m.ID[14])<<8] = promise{end: m.End, cursor: m.Cursor}
		}
	}
	if stored > 0 {
		l.number(rt, first)
	}
}

func (l *life) deliver(rt *rapid.T) {
	n := rapid.IntRange(1, l.next+1).Draw(rt, "message")
	p, ok := l.sent[n]
	if !ok {
		return
	}
	st := l.status(n, rapid.SampledFrom([]delivery.State{delivery.Sent, delivery.Delivered, delivery.Read}).Draw(rt, "state"))
	if st.State < p.state {
		return
	}
	st.End = p.end
	st.Receipt = l.SaveReceipt([]byte(fmt.Sprint(n)), p.end)
	l.SaveStatus([]store.Status{st})
	if rapid.Bool().Draw(rt, "settle") {
		l.settle()
	}
	p.state = st.State
	l.sent[n] = p
}

func (l *life) read(rt *rapid.T) {
	var rows []store.Cursor
	for _, in := range l.inbox(store.Query{Unread: true, Limit: rapid.IntRange(1, 3).Draw(rt, "rows")}) {
		rows = append(rows, in.Cursor)
	}
	if _, err := l.MarkRead(l.clock.Now(), rows...); err != nil {
		rt.Fatal(err)
	}
}

func (l *life) name(rt *rapid.T) {
	k := key(rapid.IntRange(3, 5).Draw(rt, "peer"))
	if err := l.SaveContact(store.Contact{Key: k, Name: k.String(), Added: l.clock.Now()}); err != nil {
		rt.Fatal(err)
	}
}

func (l *life) check(rt *rapid.T) {
	l.settle()
	if err := l.Audit(); err != nil {
		rt.Fatal(err)
	}
	now := l.clock.Now()
	for n, p := range l.sent {
		st, err := l.Status(id(n))
		if now.Before(p.end) && (err != nil || st.State > p.state) {
			rt.Fatalf("message %d ends %v: %+v, %v", n, p.end, st, err)
		}
		if errors.Is(err, store.ErrNotFound) || !now.Before(p.end) {
			continue
		}
		if st.Receipt != 0 {
			if raw, err := l.Receipt(st.Receipt); string(raw) != fmt.Sprint(n) {
				rt.Fatalf("receipt of %d: %q, %v", n, raw, err)
			}
		}
		if _, err := l.Load(id(n)); err != nil && !st.State.Final() {
			rt.Fatalf("content of %d, %v: %v", n, st.State, err)
		}
	}
	l.checkInbox(rt, now)
}

func (l *life) checkInbox(rt *rapid.T, now time.Time) {
	there := make(map[store.Cursor]int)
	for _, in := range l.inbox(store.Query{}) {
		there[in.Cursor]++
		if p := l.received[int(in.ID[15])|int(in.ID[14])<<8]; p.cursor != in.Cursor || in.Unreadable {
			rt.Fatalf("row %+v, promised %+v", in, p)
		}
	}
	for n, p := range l.received {
		want := 0
		if now.Before(p.end) {
			want = 1
		}
		if there[p.cursor] != want {
			rt.Fatalf("received message %d is there %d times, want %d", n, there[p.cursor], want)
		}
	}
}
