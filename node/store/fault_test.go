package store_test

import (
	"errors"
	"net"
	"testing"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols/delivery"
)

// TestFullDiskIsSaidAndPasses refuses commits for a while.
func TestFullDiskIsSaidAndPasses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.accept(w.outgoing(1))
	must(t, err)
	w.kv.(*kv.MemoryStore).SetFault(func(*kv.Batch, bool) error { return kv.ErrDiskFull })
	if _, err := w.accept(w.outgoing(2)); !errors.Is(err, kv.ErrDiskFull) {
		t.Errorf("accept on a full disk: %v", err)
	}
	if _, err := w.receive(w.incoming(2)); !errors.Is(err, kv.ErrDiskFull) {
		t.Errorf("receive on a full disk: %v", err)
	}
	w.SaveStatus([]store.Status{w.status(1, delivery.Delivered)})
	if err := w.SetMeta("a", []byte("b")); !errors.Is(err, kv.ErrDiskFull) {
		t.Errorf("setting on a full disk: %v", err)
	}
	if st, err := w.Status(id(1)); err != nil || st.State != delivery.Delivered {
		t.Errorf("status meanwhile: %+v, %v", st, err)
	}
	w.kv.(*kv.MemoryStore).SetFault(nil)
	_, err = w.accept(w.outgoing(2))
	must(t, err)
	_, err = w.receive(w.incoming(2))
	must(t, err)
	must(t, w.Audit())
	w.SaveStatus([]store.Status{w.status(2, delivery.Sent)})
	w = w.reopened()
	if st, err := w.Status(id(1)); err != nil || st.State != delivery.Delivered {
		t.Errorf("status after all: %+v, %v", st, err)
	}
	must(t, w.Audit())
}

func TestClosedStoreRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.Close())
	_, acceptErr := w.accept(w.outgoing(1))
	_, receiveErr := w.receive(w.incoming(1))
	_, markErr := w.MarkRead(noon, 1)
	for i, err := range []error{acceptErr, receiveErr, markErr, w.SetMeta("a", nil), w.Expire(noon)} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	w.SaveStatus([]store.Status{w.status(1, delivery.Sent)})
	must(t, w.Close())
}

func TestDonesComeInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var order []int // only the committer writes it
	all := make(chan struct{})
	for n := range 300 {
		i := n
		w.Accept([]*store.Outgoing{w.outgoing(n)}, func(store.Cursor, error) { order = append(order, i) })
	}
	tooBig := w.outgoing(999)
	tooBig.Content = make([]byte, store.DefaultOutboxLimit+1)
	w.Accept([]*store.Outgoing{tooBig}, func(_ store.Cursor, err error) {
		if !errors.Is(err, store.ErrFull) {
			t.Errorf("too big: %v", err)
		}
		close(all)
	})
	<-all
	for i, n := range order {
		if i != n {
			t.Fatalf("order %v", order)
		}
	}
	if len(order) != 300 {
		t.Errorf("%d done", len(order))
	}
}
