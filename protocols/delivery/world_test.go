package delivery

import (
	"container/heap"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// relayKind is what a relay of the world does with what it is given.
type relayKind int

const (
	honest  relayKind = iota // passes on, and answers with what came of it
	refuser                  // has no route
	mute                     // does and says nothing
	thief                    // says taken and drops it
	packed                   // is busy
	gone                     // cannot be given anything
	keeper                   // cannot pass on, and keeps it
)

// node is a relay in the world.
type node struct {
	kind  relayKind
	delay time.Duration // one way, as far as its next hop
	names protocols.Key // a keeper: who signs for what it keeps, if not itself
	given map[envelope.ID]int
}

// fataler is a test, or one run of a property.
type fataler interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// world is a machine of alice's among relays, and bob behind them, in virtual
// time. The same seed gives the same run.
type world struct {
	fataler
	m      *Machine
	now    time.Time
	rand   *rand.Rand
	events events
	seq    int

	up     bool          // a connection to bob
	dead   bool          // which nothing gets through
	lost   int           // connections, so that what is on them is lost too
	delay  time.Duration // of the connection, one way
	jitter time.Duration
	dials  func() error // what comes of a dial; nil: it hangs

	relays map[protocols.Key]*node
	routes []Route

	unheard      bool // bob's receipts get lost
	receiptDelay time.Duration
	queue        time.Time // when bob's receipts are through
	perReceipt   time.Duration

	msgs      map[envelope.ID]Message
	got       map[envelope.ID]int // copies that reached bob
	delivered map[envelope.ID]time.Time
	sent      int // copies, by whatever path
	copiesOf  map[envelope.ID]int
	direct    int
	outcomes  []Judgement
	promised  []Promise
	placed    []Placement
	maxOpen   int
}

type event struct {
	at  time.Time
	seq int
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func newWorld(t fataler, seed uint64) *world {
	return &world{
		fataler: t, m: NewMachine(seed), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), rand: rand.New(rand.NewPCG(seed, 1)),
		delay: 20 * time.Millisecond, relays: map[protocols.Key]*node{},
		msgs: map[envelope.ID]Message{}, got: map[envelope.ID]int{}, copiesOf: map[envelope.ID]int{}, delivered: map[envelope.ID]time.Time{},
	}
}

// relay adds a relay and a route over it alone.
func (w *world) relay(kind relayKind, delay time.Duration) protocols.Key {
	k := protocols.Key{byte(0x80 + len(w.relays))}
	w.relays[k] = &node{kind: kind, delay: delay, given: map[envelope.ID]int{}}
	w.routes = append(w.routes, Route{k})
	return k
}

func (w *world) after(d time.Duration, do func()) {
	w.seq++
	heap.Push(&w.events, event{w.now.Add(d), w.seq, do})
}

// trip is a time one way over the connection.
func (w *world) trip() time.Duration {
	if w.jitter == 0 {
		return w.delay
	}
	return w.delay + time.Duration(w.rand.Int64N(int64(w.jitter)))
}

// send accepts a message to bob.
func (w *world) send() envelope.ID {
	n := len(w.msgs) + 1
	var id envelope.ID
	binary.BigEndian.PutUint32(id[:], uint32(n))
	var d envelope.Digest
	binary.BigEndian.PutUint32(d[:], uint32(n))
	msg := Message{
		Letter: Letter{ID: id, From: alice, To: bob, Digest: d, Created: w.now, End: w.now.Add(24 * time.Hour), State: Queued},
		Size:   600, Sealed: true, ForwardSecret: true,
	}
	w.msgs[id] = msg
	w.m.Accept(w.now, msg)
	w.act()
	return id
}

// run lets time go by.
func (w *world) run(d time.Duration) {
	for end := w.now.Add(d); ; {
		next := end
		if len(w.events) > 0 && w.events[0].at.Before(next) {
			next = w.events[0].at
		}
		if at := w.m.Deadline(); !at.IsZero() && at.Before(next) {
			next = at
		}
		w.now = later(w.now, next)
		if !w.now.Before(end) {
			return
		}
		w.m.Tick(w.now)
		w.act()
		for len(w.events) > 0 && !w.events[0].at.After(w.now) {
			heap.Pop(&w.events).(event).do()
			w.act()
		}
	}
}

// act does what the machine wants done.
func (w *world) act() {
	for {
		r := w.m.Ready()
		for _, s := range r.Save {
			if s.State == Delivered {
				w.delivered[s.ID] = w.now
			}
		}
		w.outcomes = append(w.outcomes, r.Judged...)
		w.placed = append(w.placed, r.Place...)
		w.promised = append(w.promised, r.Promised...)
		for range r.Dial {
			w.dial()
		}
		for _, k := range r.Probe {
			lost := w.lost
			w.after(w.delay*2, func() {
				dead := w.dead || w.lost != lost
				w.m.Probed(w.now, k, !dead)
				if dead && w.lost == lost {
					w.down()
				}
			})
		}
		for _, t := range r.Transmit {
			for _, id := range t.IDs {
				w.transmit(t, id)
			}
		}
		for _, q := range r.Routes {
			w.m.Routes(w.now, q.To, w.routes)
		}
		if p := w.m.peers[bob]; p != nil {
			w.maxOpen = max(w.maxOpen, p.open)
		}
		if len(r.Transmit)+len(r.Routes)+len(r.Dial) == 0 {
			return
		}
	}
}

func (w *world) dial() {
	if w.dials == nil {
		return
	}
	w.after(w.delay*3, func() {
		err := w.dials()
		if err == nil {
			w.connect(Path{})
		}
		w.m.Dialed(w.now, bob, err)
	})
}

var errNobody = errors.New("nobody there")

// connect opens a connection, or another one.
func (w *world) connect(path Path) {
	w.up, w.dead = true, false
	w.m.PeerUp(w.now, bob, path)
	w.act()
}

// down ends the connection, and with it what is on its way.
func (w *world) down() {
	if !w.up {
		return
	}
	w.up, w.dead = false, false
	w.lost++
	w.m.PeerDown(w.now, bob)
	w.act()
}

func (w *world) transmit(t Transmit, id envelope.ID) {
	w.sent++
	w.copiesOf[id]++
	if t.Via != nil {
		w.pass(t, id)
		return
	}
	w.direct++
	if !w.up {
		w.Fatalf("sent over a connection that is not there")
	}
	w.after(0, func() { w.m.Written(w.now, id) })
	lost := w.lost
	w.after(w.trip(), func() {
		if w.lost != lost || w.dead {
			return
		}
		w.got[id]++
		w.sign(id)
		w.after(w.trip(), func() {
			if w.lost == lost && !w.dead {
				w.m.Answered(w.now, bob, answer(w.msgs[id], envelope.Taken))
			}
		})
	})
}

// pass gives a copy to the first relay of a route.
func (w *world) pass(t Transmit, id envelope.ID) {
	r := w.relays[t.Peer]
	r.given[id]++
	if r.kind == gone {
		w.m.UnsentVia(w.now, t.Peer, id, "not connected")
		return
	}
	w.after(0, func() { w.m.WrittenVia(w.now, t.Peer, id) })
	reply := func(after time.Duration, a envelope.Answer) {
		w.after(after, func() { w.m.Answered(w.now, t.Peer, a) })
	}
	a := answer(w.msgs[id], envelope.Taken)
	switch r.kind {
	case honest:
		w.after(2*r.delay, func() { w.got[id]++; w.sign(id) })
		reply(4*r.delay, a)
	case thief:
		reply(2*r.delay, a)
	case refuser:
		a.Code, a.Reason = envelope.Refused, envelope.ReasonNoRoute
		reply(2*r.delay, a)
	case keeper:
		a.Code = envelope.Stored
		holder := r.names
		if holder == (protocols.Key{}) {
			holder = t.Peer
		}
		w.after(2*r.delay, func() {
			w.m.Kept(w.now, t.Peer, a, Promise{Digest: w.msgs[id].Digest, Holder: holder, End: w.now.Add(time.Hour)})
			w.m.Kept(w.now, t.Peer, a, Promise{Digest: w.msgs[id].Digest, Holder: holder, End: w.now.Add(time.Hour)}) // a second answer is none
		})
	case packed:
		a.Code, a.RetryMillis = envelope.Busy, 1000
		reply(2*r.delay, a)
	}
}

// sign sends bob's receipt, which finds a way, mostly.
func (w *world) sign(id envelope.ID) {
	if w.unheard {
		return
	}
	w.queue = later(w.queue, w.now).Add(w.perReceipt)
	w.after(w.queue.Sub(w.now)+w.receiptDelay+w.trip(), func() {
		w.m.Receipt(w.now, receiptOf(ack.Delivered, w.msgs[id]), func() uint64 { return 1 })
	})
}

// wantDelivered asserts that everything was delivered by now, at the latest so
// long after it began.
func (w *world) wantDelivered(since time.Time, within time.Duration) {
	w.Helper()
	var last time.Time
	for id := range w.msgs {
		at, ok := w.delivered[id]
		if !ok {
			r, _ := w.m.Report(id)
			w.Fatalf("%x is %v (%s): %+v", id[:4], r.State, r.Reason, r.Attempts)
		}
		last = later(last, at)
	}
	if took := last.Sub(since); took > within {
		w.Errorf("took %v, want at most %v", took, within)
	}
}

// copies is how much more was sent than there are messages.
func (w *world) copies() int { return w.sent - len(w.msgs) }

// judged counts the outcomes for a relay that are as wanted.
func (w *world) judged(via protocols.Key, like func(Outcome) bool) (n int) {
	for _, j := range w.outcomes {
		if j.Via == via && like(j.Outcome) {
			n++
		}
	}
	return n
}

func isSilence(o Outcome) bool { return o.Code == 0 && !o.Receipt && !o.Lost }

// wantNothingLeft asserts that the machine has forgotten all that is delivered.
func (w *world) wantNothingLeft() {
	w.Helper()
	if n := len(w.m.byID) + len(w.m.byMark); n > 0 {
		w.Errorf("%d messages are left", n)
	}
	for _, r := range w.m.relays {
		if r.len != 0 || r.bytes != 0 {
			w.Errorf("relay %x: %d copies, %d bytes are left open", r.key[:1], r.len, r.bytes)
		}
	}
	if p := w.m.peers[bob]; p != nil && (p.open != 0 || p.openBytes != 0 || p.tracked != 0 || p.passing.len+p.spent.len+p.unfit.len > 0) {
		w.Errorf("of bob is left: %d open, %d bytes, %d tracked", p.open, p.openBytes, p.tracked)
	}
}
