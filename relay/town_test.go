package relay

import (
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/relay/choose"
	"github.com/tom-protocol/tom/relay/role"
)

// town is relays and others who are joined by lines in memory, in virtual time.
type town struct {
	t     *testing.T
	mu    sync.Mutex
	folks map[protocols.Key]*folk
	made  int
}

// folk is one of them: a relay, or one that only takes what is for it.
type folk struct {
	*Service
	w       *town
	name    byte
	me      protocols.Signer
	joined  map[protocols.Key]bool
	known   map[protocols.Key]bool // who could be dialled
	friends map[protocols.Key]bool
	offers  bool
	circuit []protocols.Key // the relays in its addresses

	got     []*envelope.Envelope // what came here and was for it
	answers []envelope.Answer    // what came back on its own line
	times   []time.Time          // when
	dialled int
	broken  protocols.Key                        // to whom lines break
	mood    func(in *line, e *envelope.Envelope) // what it does with what comes, if not what a node does
}

// way is how long a frame takes.
const way = 10 * time.Millisecond

func inTown(t *testing.T, f func(t *testing.T, w *town)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { f(t, &town{t: t, folks: make(map[protocols.Key]*folk)}) })
}

// pass lets time go by, and what happens then be done.
func (w *town) pass(d time.Duration) {
	virtual.Pass(d)
}

func (w *town) settle(name byte) *folk {
	me := protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(slices.Repeat([]byte{name}, ed25519.SeedSize)))
	f := &folk{
		w: w, name: name, me: me, joined: make(map[protocols.Key]bool),
		known: make(map[protocols.Key]bool), friends: make(map[protocols.Key]bool),
	}
	w.folks[me.Public()] = f
	return f
}

// relay settles a relay, and runs it until the test ends.
func (w *town) relay(name byte, change ...func(*Config)) *folk {
	w.t.Helper()
	f := w.settle(name)
	f.offers = true
	cfg := Config{Self: f.key(), Lines: f, Atlas: f, Mode: role.On}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	f.Service = s
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	w.t.Cleanup(func() { cancel(); <-done })
	return f
}

func (w *town) relays(names string) (all []*folk) {
	for _, n := range []byte(names) {
		all = append(all, w.relay(n))
	}
	return all
}

func join(a, b *folk) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	a.joined[b.key()], b.joined[a.key()] = true, true
}

func (f *folk) key() protocols.Key { return f.me.Public() }

// write seals an envelope, as large as is asked for.
func (f *folk) write(to *folk, size int, via ...*folk) *envelope.Envelope {
	f.w.t.Helper()
	r, err := envelope.IdentityRecipient(to.key())
	if err != nil {
		f.w.t.Fatal(err)
	}
	e, err := envelope.NewSealer(f.key(), time.Now).Seal(r, envelope.NewID(time.Now()), time.Now(), time.Hour, make([]byte, size))
	if err != nil {
		f.w.t.Fatal(err)
	}
	envelope.Sign(f.me, []*envelope.Envelope{e})
	for _, v := range via {
		e.Via = append(e.Via, v.key())
	}
	return e
}

// send puts an envelope on the line to a neighbour.
func (f *folk) send(to *folk, e *envelope.Envelope) {
	f.w.t.Helper()
	if err := f.SendEnvelope(to.key(), e.Append(nil), func(error) {}); err != nil {
		f.w.t.Fatal(err)
	}
}

// SendEnvelope is what a relay's lines do.
func (f *folk) SendEnvelope(p protocols.Key, frame []byte, written func(error)) error {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if !f.joined[p] {
		return errors.New("not connected")
	}
	to := f.w.folks[p]
	f.w.made++
	if f.breaking(p, written) {
		return nil
	}
	go written(nil)
	time.AfterFunc(way, func() { to.receive(&line{from: f, to: to}, frame) })
	return nil
}

// line is what a frame came on.
type line struct{ from, to *folk }

func (l *line) Peer() protocols.Key { return l.from.key() }

func (l *line) Answer(frame []byte) error {
	a, err := envelope.ParseAnswer(frame)
	if err != nil {
		l.to.w.t.Error(err)
	}
	time.AfterFunc(way, func() {
		if l.from.Service != nil && l.from.Answered(l.to.key(), a) {
			return
		}
		l.from.w.mu.Lock()
		defer l.from.w.mu.Unlock()
		l.from.answers = append(l.from.answers, a)
		l.from.times = append(l.from.times, time.Now())
	})
	return nil
}

func (l *line) say(e *envelope.Envelope, a envelope.Answer) {
	a.Digest = e.Digest().Short()
	_ = l.Answer(a.Append(nil))
}

func (f *folk) receive(in *line, frame []byte) {
	e, err := envelope.Parse(frame)
	if err != nil {
		f.w.t.Error(err)
		return
	}
	switch {
	case f.mood != nil:
		f.mood(in, e)
	case e.To != f.key():
		f.Carry(in, e)
	default:
		f.take(in, e)
	}
}

// take is what a recipient does.
func (f *folk) take(in *line, e *envelope.Envelope) {
	f.w.mu.Lock()
	f.got = append(f.got, e)
	f.w.mu.Unlock()
	in.say(e, envelope.Answer{Code: envelope.Taken})
}

func (f *folk) Connected(p protocols.Key) bool {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return f.joined[p]
}

// Connect takes a second, and finds those who are there.
func (f *folk) Connect(ctx context.Context, p protocols.Key) error {
	f.w.mu.Lock()
	f.dialled++
	to := f.w.folks[p]
	f.w.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	if to == nil {
		return errors.New("nobody there")
	}
	join(f, to)
	return nil
}

func (f *folk) Neighbours() (all []choose.Candidate) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	for k := range f.joined {
		all = append(all, f.look(k))
	}
	return all
}

func (f *folk) Look(p protocols.Key) choose.Candidate {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return f.look(p)
}

func (f *folk) look(p protocols.Key) choose.Candidate {
	c := choose.Candidate{Peer: p, Connected: f.joined[p], Contact: f.friends[p]}
	if other := f.w.folks[p]; other != nil {
		c.Offers = other.offers
	}
	return c
}

func (f *folk) Behind(p protocols.Key) []protocols.Key {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if other := f.w.folks[p]; other != nil {
		return other.circuit
	}
	return nil
}

func (f *folk) Known(p protocols.Key) (known, direct bool) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return f.known[p], f.known[p]
}

func (f *folk) Stranger(p protocols.Key) bool {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return !f.friends[p]
}

// wantAnswers wants exactly these to have come back, in this order.
func (f *folk) wantAnswers(want ...envelope.Answer) {
	f.w.t.Helper()
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if len(f.answers) != len(want) {
		f.w.t.Fatalf("%d answers came: %+v; want %d", len(f.answers), f.answers, len(want))
	}
	for i, a := range f.answers {
		if a.Code != want[i].Code || a.Reason != want[i].Reason {
			f.w.t.Errorf("answer %d is %+v; want %+v", i, a, want[i])
		}
	}
}

var (
	taken   = envelope.Answer{Code: envelope.Taken}
	noRoute = envelope.Answer{Code: envelope.Refused, Reason: envelope.ReasonNoRoute}
	policy  = envelope.Answer{Code: envelope.Refused, Reason: envelope.ReasonPolicy}
	isBusy  = envelope.Answer{Code: envelope.Busy}
)

// silentMood takes envelopes and says nothing.
func (f *folk) silentMood() {
	f.mood = func(_ *line, e *envelope.Envelope) {
		f.w.mu.Lock()
		defer f.w.mu.Unlock()
		f.got = append(f.got, e)
	}
}

// cellar keeps what is brought to it.
type cellar struct {
	mu    sync.Mutex
	full  bool
	slow  time.Duration
	items []*envelope.Envelope
}

func (c *cellar) Holds() bool { return true }

func (c *cellar) Keep(_ protocols.Key, e *envelope.Envelope, answer func(envelope.Answer)) {
	time.AfterFunc(c.slow, func() {
		c.mu.Lock()
		full := c.full
		if !full {
			c.items = append(c.items, e)
		}
		c.mu.Unlock()
		if full {
			answer(noRoute)
			return
		}
		answer(envelope.Answer{Code: envelope.Stored, Storage: []byte("signed")})
	})
}
