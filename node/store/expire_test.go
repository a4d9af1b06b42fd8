package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols/delivery"
)

// TestNothingOutlivesItsEnd lets a day pass: of messages, receipts and events
// nothing is left.
func TestNothingOutlivesItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 1500 {
		_, err := w.accept(w.outgoing(n))
		must(t, err)
		_, err = w.receive(w.incoming(n))
		must(t, err)
	}
	st := w.status(1, delivery.Delivered)
	st.Receipt = w.SaveReceipt([]byte("receipt"), st.End)
	w.SaveStatus([]store.Status{st, w.status(2, delivery.Failed)})
	_, err := w.MarkRead(w.clock.Now(), w.inbox(store.Query{Limit: 1})[0].Cursor)
	must(t, err)
	must(t, w.Audit())

	w = w.reopened()
	must(t, w.Expire(w.clock.advance(61*time.Minute)))
	if n := w.rows(); n["o"] != 0 || n["i"] != 0 || n["r"] != 0 || n["p"] != 0 || n["w"] != 1500 {
		t.Errorf("rows after the end: %v", n)
	}
	if w.OutboxRoom() != store.DefaultOutboxLimit || w.Unread() != 0 {
		t.Errorf("outbox room %d, unread %d", w.OutboxRoom(), w.Unread())
	}
	must(t, w.Audit())
	must(t, w.Expire(w.clock.advance(5*time.Minute)))
	if n := w.rows(); n["w"] != 0 {
		t.Errorf("rows after the window: %v", n)
	}
	must(t, w.Expire(w.clock.advance(store.AfterEnd)))
	if n := w.rows(); n["s"] != 0 || n["v"] != 0 || n["x"] != 0 {
		t.Errorf("rows after all: %v", n)
	}
	must(t, w.Audit())
}

// TestEndedMessageIsNotShownBeforeExpireRuns: the rows leave by the minute, but
// the messages end by the millisecond.
func TestEndedMessageIsNotShownBeforeExpireRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.incoming(1)
	_, err := w.receive(in)
	must(t, err)
	_, err = w.accept(w.outgoing(1))
	must(t, err)
	w.clock.advance(time.Hour - time.Millisecond)
	if len(w.inbox(store.Query{})) != 1 {
		t.Error("gone before its end")
	}
	w.clock.advance(time.Millisecond)
	if len(w.inbox(store.Query{})) != 0 {
		t.Error("listed after its end")
	}
	if _, err := w.Message(in.Cursor); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("read after its end: %v", err)
	}
	if _, err := w.Load(id(1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("outgoing after its end: %v", err)
	}
	if n := len(w.events(0)); n != 1 {
		t.Errorf("%d events", n)
	}
}

func TestReceiptIsKeptUntilTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.accept(w.outgoing(1))
	must(t, err)
	ref := w.SaveReceipt([]byte("signed"), noon.Add(time.Hour))
	other := w.SaveReceipt([]byte("other"), noon.Add(time.Hour))
	if raw, err := w.Receipt(ref); string(raw) != "signed" || err != nil || ref == other {
		t.Errorf("receipt at once: %q, %v", raw, err)
	}
	w = w.reopened()
	if raw, err := w.Receipt(ref); string(raw) != "signed" || err != nil {
		t.Errorf("receipt after restart: %q, %v", raw, err)
	}
	if next := w.SaveReceipt([]byte("third"), noon.Add(time.Hour)); next <= other {
		t.Errorf("reference %d after %d", next, other)
	}
	must(t, w.Expire(w.clock.advance(61*time.Minute)))
	if _, err := w.Receipt(ref); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("receipt after the end: %v", err)
	}
}
