package delivery

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
)

func newHeldBench(t *testing.T) *bench {
	b := newBench(t)
	b.m.UseHolders()
	return b
}

func TestAMessageToSomebodyAwayGoesToHolders(t *testing.T) {
	b := newHeldBench(t)
	last := []protocols.Key{carol}
	msg := b.message()
	msg.Kept = last
	msg = b.accept(msg)
	if r := b.pass(placeWait - time.Millisecond); r.Place != nil {
		t.Errorf("placed too early: %+v", r.Place)
	}
	want := []Placement{{ID: msg.ID, To: bob, Digest: msg.Digest, End: msg.End, Size: msg.Size, Kept: last}}
	if r := b.pass(time.Hour); !reflect.DeepEqual(r.Place, want) {
		t.Errorf("placed %+v", r.Place)
	}
	one := []Holder{{Key: carol, Live: true}}
	b.m.Held(b.now, msg.ID, one, false)
	if r, _ := b.m.Report(msg.ID); r.State != Queued || !reflect.DeepEqual(r.Holders, one) {
		t.Errorf("with one holder: %+v", r)
	}
	b.m.Held(b.now, msg.ID, one, true)
	b.m.Held(b.now, msg.ID, nil, false) // all of them are gone: the state stays
	if r, _ := b.m.Report(msg.ID); r.State != Stored || r.Holders != nil {
		t.Errorf("with enough: %+v", r)
	}
}

func TestWhatGetsThroughIsNotPlaced(t *testing.T) {
	b := newHeldBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	msg := b.accept(b.message())
	if r := b.pass(time.Second); r.Place != nil {
		t.Errorf("placed %+v while bob is connected", r.Place)
	}
	b.m.Receipt(b.now, &ack.Receipt{
		Kind: ack.Delivered, From: bob, To: alice, Time: uint64(b.now.UnixMilli()),
		Entries: []ack.Entry{{ID: msg.ID, Digest: msg.Digest.Short()}},
	}, func() uint64 { return 1 })
	if r := b.pass(time.Hour); r.Place != nil || r.Release != nil || b.m.Placed() != 0 {
		t.Errorf("placed %+v, released %v after the receipt", r.Place, r.Release)
	}
}

func TestWhoIsLostIsPlacedFor(t *testing.T) {
	b := newHeldBench(t)
	b.m.PeerUp(b.now, bob, Path{})
	msg := b.accept(b.message())
	b.pass(500 * time.Millisecond)
	b.m.LineLost(b.now, bob)
	b.m.PeerUp(b.now, bob, Path{}) // another connection to what is gone
	b.m.PeerDown(b.now, bob)
	if r := b.pass(placeWait + placeAgain); len(r.Place) != 1 || r.Place[0].ID != msg.ID {
		t.Errorf("placed %+v", r.Place)
	}
}

func TestHoldersHearOfTheEnd(t *testing.T) {
	b := newHeldBench(t)
	msg := b.accept(b.message())
	b.pass(2 * time.Second)
	if b.m.Placed() != 1 {
		t.Fatalf("%d placed", b.m.Placed())
	}
	r := b.pass(25 * time.Hour) // it expires
	if !reflect.DeepEqual(r.Release, []envelope.Digest{msg.Digest}) || b.m.Placed() != 0 {
		t.Errorf("released %v", r.Release)
	}
}

func TestWithoutHoldersNothingIsPlaced(t *testing.T) {
	b := newBench(t)
	msg := b.accept(b.message())
	if r := b.pass(time.Hour); r.Place != nil {
		t.Errorf("placed %+v", r.Place)
	}
	b.m.Held(b.now, msg.ID, []Holder{{Key: protocols.Key{9}}}, true)
	if r, _ := b.m.Report(msg.ID); r.State == Stored {
		t.Error("stored, though it was never placed")
	}
}

func TestWhatHoldersBringIsNoRelaysWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		relay                       relayKind
		joins                       time.Duration // when the relay is there
		brought                     time.Duration // when bob signs for what holders bring
		taken, proved, lost, silent int
	}{
		"a relay took it and dropped it": {thief, 0, 2 * time.Second, 1, 0, 1, 0},
		"a relay took it just before":    {thief, 1900 * time.Millisecond, 2 * time.Second, 1, 0, 0, 0},
		"a relay says nothing":           {mute, 0, 2 * time.Second, 0, 0, 0, 1},
		"a relay has just got it":        {mute, 1900 * time.Millisecond, 2 * time.Second, 0, 0, 0, 0},
		"holders were not asked":         {honest, 0, 2 * time.Second, 1, 1, 0, 0},
	} {
		w := newWorld(t, 1)
		w.m.UseHolders()
		var k protocols.Key
		w.after(c.joins, func() {
			k = w.relay(c.relay, 5*time.Millisecond)
			w.m.RoutesChanged(w.now)
		})
		id := w.send()
		w.after(c.brought, func() {
			w.m.Receipt(w.now, receiptOf(ack.Delivered, w.msgs[id]), func() uint64 { return 1 })
		})
		w.run(c.brought + time.Second)
		taken := w.judged(k, func(o Outcome) bool { return o.Code == envelope.Taken })
		proved := w.judged(k, func(o Outcome) bool { return o.Receipt })
		lost, silent := w.judged(k, func(o Outcome) bool { return o.Lost }), w.judged(k, isSilence)
		if taken != c.taken || proved != c.proved || lost != c.lost || silent != c.silent {
			t.Errorf("%s: taken %d, proved %d, lost %d, silent %d", name, taken, proved, lost, silent)
		}
	}
}

// TestARelayThatKeepsAMessageIsAHolder: a relay could not pass it on; it is one
// of the holders from then on, and other ways are tried at once.
func TestARelayThatKeepsAMessageIsAHolder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		delay   time.Duration
		names   protocols.Key
		holders bool
		places  int
		promise bool
	}{
		"before others are asked": {delay: 50 * time.Millisecond, holders: true, places: 1, promise: true},
		"when they are":           {delay: 700 * time.Millisecond, holders: true, places: 1, promise: true},
		"in another's name":       {delay: 50 * time.Millisecond, names: carol, holders: true, places: 1},
		"without holders":         {delay: 50 * time.Millisecond},
	} {
		w := newWorld(t, 1)
		if c.holders {
			w.m.UseHolders()
		}
		w.dials = func() error { return errNobody }
		r := w.relay(keeper, c.delay)
		w.relays[r].names = c.names
		start := w.now
		id := w.send()
		w.run(400*time.Millisecond + 2*c.delay)
		report, _ := w.m.Report(id)
		if report.State != Relayed || !strings.Contains(report.Reason, "keeps it") {
			t.Errorf("%s: %v, %q", name, report.State, report.Reason)
		}
		if early := len(w.placed) > 0; c.promise && !early {
			t.Errorf("%s: the other holders are not asked at once", name)
		}
		w.run(10 * time.Second)
		if len(w.placed) != c.places {
			t.Errorf("%s: placed %+v", name, w.placed)
		}
		if len(w.promised) > 0 != c.promise || len(w.promised) > w.relays[r].given[id] {
			t.Errorf("%s: promised %+v", name, w.promised)
		}
		for _, p := range w.promised {
			if p.Holder != r || p.Digest != w.msgs[id].Digest {
				t.Errorf("%s: promised %+v", name, p)
			}
		}
		w.relay(honest, 10*time.Millisecond) // by which bob can be reached
		w.m.RoutesChanged(w.now)
		w.run(30 * time.Second)
		w.wantDelivered(start, 30*time.Second)
		if n := w.judged(r, func(o Outcome) bool { return o.Lost || o.Code == envelope.Refused }); n > 0 {
			t.Errorf("%s: %d times the relay is said to have done nothing", name, n)
		}
	}
}

// TestOtherWaysAreTriedAtOnceBesideOneThatKeeps: that a relay keeps a message
// costs no time where another one gets it through.
func TestOtherWaysAreTriedAtOnceBesideOneThatKeeps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.m.UseHolders()
	w.dials = func() error { return errNobody }
	w.relay(keeper, 20*time.Millisecond)
	w.relay(honest, 20*time.Millisecond)
	start := w.now
	w.send()
	w.run(5 * time.Second)
	w.wantDelivered(start, 500*time.Millisecond)
}
