package courier

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// chain is alice and bob, who cannot reach each other, and relays in between.
type chain struct {
	*mesh
	alice, bob *Courier
	ways       *atlas // alice's
	relays     []*Courier
	ferries    []*ferry
}

// newChain makes a chain with so many relays that bob's prekeys have passed
// along.
func newChain(t *testing.T, relays int, change ...func(*Config)) *chain {
	t.Helper()
	w := &chain{mesh: newMesh(20 * time.Millisecond), ways: &atlas{}}
	w.alice = w.add(t, func(cfg *Config, _ *port) {
		cfg.Router = w.ways
		for _, set := range change {
			set(cfg)
		}
	})
	w.bob = w.add(t, func(cfg *Config, _ *port) { cfg.Router = &atlas{} })
	var route delivery.Route
	last := w.alice
	for range relays {
		r := w.add(t, func(cfg *Config, lines *port) {
			f := &ferry{lines: lines, back: map[[16]byte]Inbound{}}
			cfg.Transit = f
			w.ferries = append(w.ferries, f)
		})
		w.join(last, r)
		w.relays, route, last = append(w.relays, r), append(route, r.me), r
	}
	w.join(last, w.bob)
	w.ways.routes = map[protocols.Key][]delivery.Route{w.bob.me: {route}}
	record, err := w.bob.Prekeys.Record(w.bob.Signer)
	if err != nil {
		t.Fatal(err)
	}
	w.alice.LearnPrekeys(w.bob.me, record)
	return w
}

func (w *chain) send(t *testing.T) envelope.ID {
	t.Helper()
	id, err := w.alice.Send(t.Context(), Draft{To: w.bob.me, Type: "text/plain", Body: []byte("hello")})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (w *chain) wantState(t *testing.T, id envelope.ID, want delivery.State) delivery.Report {
	t.Helper()
	r, err := w.alice.Trace(t.Context(), id)
	if err != nil || r.State != want {
		t.Fatalf("state %v (%s), %v, want %v: %+v", r.State, r.Reason, err, want, r.Attempts)
	}
	return r
}

func TestMessageAndReceiptGoOverARelayWithinASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newChain(t, 1)
		id := w.send(t)
		virtual.Pass(time.Second)
		r := w.wantState(t, id, delivery.Delivered)
		if r.Path != "relays" || len(r.Attempts) != 1 || len(r.Attempts[0].Via) != 1 || r.Attempts[0].Via[0] != w.relays[0].me {
			t.Errorf("trace %+v", r.Attempts)
		}
		took := r.At.Sub(r.Created)
		t.Logf("delivered after %v", took)

		virtual.Pass(5 * time.Second) // the receipt's envelope has a receipt too
		if err := w.bob.ask(t.Context(), func(*delivery.Machine) {
			if len(w.bob.held) > 0 {
				t.Error("the envelope with the receipt is still tried")
			}
		}); err != nil {
			t.Error(err)
		}
		if n := w.ferries[0].loaded; n != 2 {
			t.Errorf("the relay carried %d envelopes, want the message and its receipt", n)
		}
		w.ways.mu.Lock()
		defer w.ways.mu.Unlock()
		if n := len(w.ways.outcomes); n != 2 || w.ways.outcomes[0].Code != envelope.Taken || !w.ways.outcomes[1].Receipt {
			t.Errorf("outcomes %+v", w.ways.outcomes)
		}
	})
}

func TestMessageGoesOverFourRelays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newChain(t, 4)
		id := w.send(t)
		virtual.Pass(time.Second)
		if r := w.wantState(t, id, delivery.Relayed); len(r.Attempts[len(r.Attempts)-1].Via) != 4 {
			t.Errorf("trace %+v", r.Attempts)
		}
	})
}

func TestRelayThatDropsWhatItTakesDeliversNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newChain(t, 1)
		w.ferries[0].sinks.Store(true)
		id := w.send(t)
		virtual.Pass(time.Second)
		w.wantState(t, id, delivery.Relayed)
		virtual.Pass(10 * time.Second)
		w.wantState(t, id, delivery.Relayed)
		w.ferries[0].sinks.Store(false)
		virtual.Pass(30 * time.Second)
		w.wantState(t, id, delivery.Delivered)
	})
}

// promises is a backup that notes what is promised.
type promises struct {
	Backup
	got chan protocols.Key
}

func (promises) Place(backup.Item)                   {}
func (promises) Release(envelope.Digest)             {}
func (promises) Receipt(*ack.Receipt, []byte)        {}
func (promises) Signed(*ack.Receipt, []byte)         {}
func (promises) Came(protocols.Key, envelope.Digest) {}

func (p promises) Promised(_ envelope.Digest, holder protocols.Key, _ time.Time) { p.got <- holder }

func TestRelayThatSaysItKeepsAMessageMustHaveSigned(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(s *backup.Storage, raw []byte) []byte
		taken  bool
	}{
		"signed":              {func(_ *backup.Storage, raw []byte) []byte { return raw }, true},
		"nothing":             {func(*backup.Storage, []byte) []byte { return nil }, false},
		"a wrong signature":   {func(_ *backup.Storage, raw []byte) []byte { raw[len(raw)-1]++; return raw }, false},
		"cut short":           {func(_ *backup.Storage, raw []byte) []byte { return raw[:len(raw)-1] }, false},
		"about another":       {func(s *backup.Storage, _ []byte) []byte { s.Digest[0]++; return nil }, false},
		"about a similar one": {func(s *backup.Storage, _ []byte) []byte { s.Digest[31]++; return nil }, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			noted := promises{got: make(chan protocols.Key, 16)}
			w := newChain(t, 1, func(cfg *Config) { cfg.Backup = noted })
			relay := w.relays[0]
			w.ferries[0].keeps = func(e *envelope.Envelope) []byte {
				s := backup.Storage{Digest: e.Digest(), End: uint64(time.Now().Add(time.Hour).UnixMilli())}
				raw := c.change(&s, backup.SignStorage(relay.Signer, s))
				if raw == nil && s.Digest != e.Digest() {
					raw = backup.SignStorage(relay.Signer, s)
				}
				return raw
			}
			id := w.send(t)
			virtual.Pass(500 * time.Millisecond)
			want := delivery.Sent
			if c.taken {
				want = delivery.Relayed
			}
			w.wantState(t, id, want)
			if got := len(noted.got) > 0; got != c.taken || got && <-noted.got != relay.me {
				t.Errorf("%s: a promise came: %v", name, got)
			}
		})
	}
}

func TestRelayIsDialledForWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newChain(t, 1)
		w.mu.Lock()
		clear(w.joined)
		w.dialable[w.relays[0].me] = true
		w.mu.Unlock()
		w.alice.PeerDown(w.relays[0].me)
		w.join(w.relays[0], w.bob)
		id := w.send(t)
		virtual.Pass(2 * time.Second)
		w.wantState(t, id, delivery.Delivered)
	})
}

func TestWhatACircuitHasNoRoomForGoesOverARelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newChain(t, 1)
		w.narrow = w.alice.me
		w.join(w.alice, w.bob)
		known := w.ways.routes
		w.ways.routes = nil
		waits := w.send(t)
		virtual.Pass(100 * time.Millisecond)
		r := w.wantState(t, waits, delivery.Queued)
		if !strings.Contains(r.Reason, delivery.ErrLimit.Error()) || r.Next.IsZero() {
			t.Errorf("reason %q, next try %v", r.Reason, r.Next)
		}
		w.ways.mu.Lock()
		w.ways.routes = known
		w.ways.mu.Unlock()
		w.alice.RoutesChanged()
		goes := w.send(t)
		virtual.Pass(2 * time.Second)
		for _, id := range []envelope.ID{waits, goes} {
			if r = w.wantState(t, id, delivery.Delivered); r.Path != "relays" {
				t.Errorf("trace %+v", r.Attempts)
			}
		}
	})
}

func TestReceiptsForOthersAreNoFaultAndGoNowhere(t *testing.T) {
	t.Parallel()
	lines := ear{desert{make(chan protocols.Key, 16)}, make(chan []byte, 16)}
	c := runningOn(t, lines, func() bool { return false })
	bob, carol := somebody(t), somebody(t).Public()
	digest := [16]byte{1}
	frame := func(kind ack.Kind) []byte {
		r := ack.Receipt{Kind: kind, From: bob.Public(), To: carol, Time: 1, Entries: []ack.Entry{{ID: envelope.ID{1}, Digest: digest}}}
		return ack.Frame{Receipts: [][]byte{ack.Sign(bob.Signer(protocols.Main), r)}}.Append(nil)
	}
	if err := c.Receipts(bob.Public(), frame(ack.Got)); err != nil || len(lines.acks) > 0 {
		t.Errorf("a got for what was never carried: %v, %d passed on", err, len(lines.acks))
	}
	c.trail.note(digest, carol)
	if err := c.Receipts(bob.Public(), frame(ack.Delivered)); err == nil {
		t.Error("another's receipt of delivery is no fault")
	}
	for range 3 { // passed back once
		if err := c.Receipts(bob.Public(), frame(ack.Got)); err != nil {
			t.Error(err)
		}
	}
	if len(lines.acks) != 1 {
		t.Errorf("%d passed back, want one", len(lines.acks))
	}
}

func TestTrailForgetsTheOldest(t *testing.T) {
	t.Parallel()
	var way trail
	for i := range maxTrail + 10 {
		way.note([16]byte{byte(i), byte(i >> 8)}, protocols.Key{1})
	}
	back := func(i int) int {
		return len(way.back(&ack.Receipt{Entries: []ack.Entry{{Digest: [16]byte{byte(i), byte(i >> 8)}}}}))
	}
	if back(3) != 0 || back(10) != 1 || back(maxTrail+9) != 1 || len(way.from) > maxTrail {
		t.Errorf("%d %d %d, %d kept", back(3), back(10), back(maxTrail+9), len(way.from))
	}
}
