package store_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

func TestAcceptedMessageIsThereAfterRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, err := w.accept(w.outgoing(1), w.outgoing(2))
	must(t, err)
	if first != 1 {
		t.Errorf("first event number %d, want 1", first)
	}
	w = w.reopened()
	o, err := w.Load(id(2))
	must(t, err)
	if string(o.Content) != "content 2" || string(o.Envelope) != "envelope 2" || o.Digest != digest(2) || o.To != key(2) {
		t.Errorf("loaded %+v", o)
	}
	if o.Lifetime != time.Hour || !o.Created.Equal(noon) || !o.ForwardSecret || o.Control {
		t.Errorf("loaded %+v", o)
	}
	st, err := w.Status(id(1))
	must(t, err)
	if st.State != delivery.Queued || !st.Times[delivery.Queued].Equal(noon) || st.To != key(2) {
		t.Errorf("status %+v", st)
	}
}

func TestSealedLaterIsLoadedWithItsMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.outgoing(1)
	o.Envelope, o.Digest, o.ForwardSecret = nil, envelope.Digest{}, false
	_, err := w.accept(o)
	must(t, err)
	must(t, w.setSealed(id(1), "late envelope", digest(9)))
	if err := w.setSealed(id(7), "x", digest(9)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("sealing a message that is not there: %v", err)
	}
	w = w.reopened()
	got, err := w.Load(id(1))
	must(t, err)
	if string(got.Envelope) != "late envelope" || got.Digest != digest(9) || !got.ForwardSecret {
		t.Errorf("loaded %+v", got)
	}
	w.SaveStatus([]store.Status{w.status(1, delivery.Delivered)})
	w.settle()
	if n := w.rows(); n["o"] != 0 || n["e"] != 0 || n["s"] != 1 {
		t.Errorf("rows after delivery: %v", n)
	}
}

// status is how message n stands, with every state on the way to it.
func (w *world) status(n int, state delivery.State) store.Status {
	o := w.outgoing(n)
	st := store.Status{
		ID: o.ID, To: o.To, Created: noon, End: noon.Add(time.Hour), State: state, Digest: o.Digest, Path: "direct",
		Attempts: []delivery.Attempt{{At: w.clock.Now(), Path: "relays", Via: delivery.Route{{1}, {2}}, Transport: "quic", Result: "taken"}},
	}
	st.Times[delivery.Queued], st.Times[state] = noon, w.clock.Now()
	return st
}

func TestStatesBecomeEventsInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.accept(w.outgoing(1))
	must(t, err)
	wakeups, cancel := w.Subscribe()
	defer cancel()
	for _, s := range []delivery.State{delivery.Queued, delivery.Sent, delivery.Sent, delivery.Delivered, delivery.Read} {
		w.SaveStatus([]store.Status{w.status(1, s)})
	}
	w.settle()
	<-wakeups
	var states []delivery.State
	for i, e := range w.events(0) {
		states = append(states, e.State)
		if e.Kind != store.StateChanged || e.ID != id(1) || e.Cursor != store.Cursor(i+1) {
			t.Errorf("event %+v", e)
		}
	}
	want := []delivery.State{delivery.Queued, delivery.Sent, delivery.Delivered, delivery.Read}
	if len(states) != len(want) {
		t.Fatalf("states %v, want %v", states, want)
	}
	for i := range want {
		if states[i] != want[i] {
			t.Errorf("states %v, want %v", states, want)
		}
	}
	w = w.reopened()
	st, err := w.Status(id(1))
	must(t, err)
	if st.State != delivery.Read || len(st.Attempts) != 1 || len(st.Attempts[0].Via) != 2 || st.Attempts[0].Transport != "quic" {
		t.Errorf("status %+v", st)
	}
}

func TestAcceptedMessageCostsOneRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.accept(w.outgoing(0))
	must(t, err)
	before := w.rows()
	_, err = w.accept(w.outgoing(1))
	must(t, err)
	after := w.rows()
	before["o"]++
	before["v"]++    // one for the whole commit
	before["x"] += 2 // for the whole commit, by the minute in which its rows end
	if !maps.Equal(before, after) {
		t.Errorf("rows %v, want %v", after, before)
	}
}

func TestPendingIsWhatIsNotFinal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 4 {
		_, err := w.accept(w.outgoing(i))
		must(t, err)
	}
	w.SaveStatus([]store.Status{w.status(0, delivery.Delivered), w.status(1, delivery.Sent), w.status(2, delivery.Failed)})
	kept := w.outgoing(1)
	w.KeepHolders(kept.Digest, kept.End(), []protocols.Key{key(8), key(9)})
	w = w.reopened()
	var ids []envelope.ID
	must(t, w.Pending(func(o *store.Outgoing, st *store.Status, size int) error {
		ids = append(ids, o.ID)
		if o.ID == id(1) && (st.State != delivery.Sent || size != len("envelope 1") || len(st.Attempts) != 1) {
			t.Errorf("pending %+v, %+v, %d", o, st, size)
		}
		if want := map[envelope.ID][]protocols.Key{id(1): {key(8), key(9)}}[o.ID]; !slices.Equal(o.Holders, want) {
			t.Errorf("held by %v, want %v", o.Holders, want)
		}
		return nil
	}))
	if len(ids) != 2 || ids[0] != id(1) || ids[1] != id(3) {
		t.Errorf("pending %v", ids)
	}
}

func TestSuccessorTakesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.accept(w.outgoing(1))
	must(t, err)
	w.SaveStatus([]store.Status{w.status(1, delivery.Sent)})
	next := w.outgoing(2)
	next.Supersedes, next.Reseals = id(1), 1
	_, err = w.accept(next)
	must(t, err)
	w.SaveStatus([]store.Status{w.status(1, delivery.Sent)})
	w = w.reopened()
	st, err := w.Status(id(1))
	must(t, err)
	if st.Successor != id(2) {
		t.Errorf("successor %v", st.Successor)
	}
	if _, err := w.Load(id(1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("content of the old message: %v", err)
	}
	o, err := w.Load(id(2))
	must(t, err)
	if o.Supersedes != id(1) || o.Reseals != 1 {
		t.Errorf("successor %+v", o)
	}
}

func TestOutboxBound(t *testing.T) {
	t.Parallel()
	c := &clock{now: noon}
	w := openWorld(t, newWorld(t).kv, c, store.Config{OutboxLimit: 3000})
	big := w.outgoing(1)
	big.Content = make([]byte, 2000)
	_, err := w.accept(big)
	must(t, err)
	if _, err := w.accept(w.outgoing(2)); !errors.Is(err, store.ErrFull) {
		t.Errorf("over the bound: %v", err)
	}
	w.SaveStatus([]store.Status{w.status(1, delivery.Delivered)})
	w.settle()
	if w.OutboxRoom() != 3000 {
		t.Errorf("room %d", w.OutboxRoom())
	}
	_, err = w.accept(w.outgoing(2))
	must(t, err)
}

func TestControlLeavesNoTrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.outgoing(1)
	o.Control = true
	_, err := w.accept(o)
	must(t, err)
	st := w.status(1, delivery.Delivered)
	st.Control = true
	w.SaveStatus([]store.Status{st})
	w.settle()
	if e := w.events(0); len(e) != 0 {
		t.Errorf("events %+v", e)
	}
	if n := w.rows(); n["o"] != 0 || n["s"] != 0 {
		t.Errorf("rows %v", n)
	}
	if w.WrittenTo(key(2)) {
		t.Error("a receipt made its recipient a correspondent")
	}
}

func TestSequenceNumbersGoOnAfterRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for want := uint64(1); want <= 3; want++ {
		n, err := w.NextNumber(key(2))
		must(t, err)
		if n != want {
			t.Errorf("number %d, want %d", n, want)
		}
		_, err = w.accept(w.outgoing(int(n)))
		must(t, err)
	}
	w = w.reopened()
	n, err := w.NextNumber(key(2))
	must(t, err)
	if n != 4 || !w.WrittenTo(key(2)) || w.Stranger(key(2)) {
		t.Errorf("number %d, written to %v", n, w.WrittenTo(key(2)))
	}
}

func TestLateReceiptStillDelivers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.accept(w.outgoing(1))
	must(t, err)
	must(t, w.Expire(w.clock.advance(62*time.Minute)))
	st, err := w.Status(id(1))
	must(t, err)
	if st.State != delivery.Expired {
		t.Errorf("state %v", st.State)
	}
	w.SaveStatus([]store.Status{w.status(1, delivery.Delivered)})
	must(t, w.Expire(w.clock.advance(time.Minute)))
	events := w.events(0)
	if last := events[len(events)-1]; last.State != delivery.Delivered {
		t.Errorf("events %+v", events)
	}
	must(t, w.Expire(w.clock.advance(store.AfterEnd)))
	if _, err := w.Status(id(1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("status after all: %v", err)
	}
	w.SaveStatus([]store.Status{w.status(1, delivery.Read)})
	w.settle()
	if n := w.rows(); n["o"]+n["s"]+n["v"]+n["x"] != 0 {
		t.Errorf("rows %v", n)
	}
}
