package store_test

import (
	"testing"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// crashed is the store as a power failure leaves it that takes all that is not
// synced.
func (w *world) crashed() *world {
	w.t.Helper()
	rows := w.kv.(*kv.MemoryStore).Crash(0)
	return openWorld(w.t, rows, w.clock, w.cfg)
}

// TestDoneMeansSynced has the power fail right after each call that promises to
// be synced.
func TestDoneMeansSynced(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]struct {
		before, do func(w *world) error
		there      func(w *world) bool
	}{
		"accept": {
			do:    func(w *world) error { _, err := w.accept(w.outgoing(1)); return err },
			there: func(w *world) bool { _, err := w.Load(id(1)); return err == nil && w.WrittenTo(key(2)) },
		},
		"sealed": {
			before: func(w *world) error {
				o := w.outgoing(1)
				o.Envelope, o.Digest = nil, envelope.Digest{}
				_, err := w.accept(o)
				return err
			},
			do:    func(w *world) error { return w.setSealed(id(1), "late", digest(1)) },
			there: func(w *world) bool { o, err := w.Load(id(1)); return err == nil && string(o.Envelope) == "late" },
		},
		"receive": {
			do: func(w *world) error { _, err := w.receive(w.incoming(1)); return err },
			there: func(w *world) bool {
				_, seen, _ := w.Seen(key(3), id(1))
				return seen == store.Seen && len(w.inbox(store.Query{})) == 1
			},
		},
		"read": {
			before: func(w *world) error { _, err := w.receive(w.incoming(1)); return err },
			do:     func(w *world) error { _, err := w.MarkRead(noon, 1); return err },
			there:  func(w *world) bool { return w.Unread() == 0 && len(w.inbox(store.Query{Unread: true})) == 0 },
		},
		"contact": {
			do:    func(w *world) error { return w.SaveContact(store.Contact{Key: key(3), Name: "carol"}) },
			there: func(w *world) bool { return len(w.Contacts()) == 1 },
		},
		"no contact": {
			before: func(w *world) error { return w.SaveContact(store.Contact{Key: key(3), Name: "carol"}) },
			do:     func(w *world) error { return w.RemoveContact(key(3)) },
			there:  func(w *world) bool { return len(w.Contacts()) == 0 },
		},
		"setting": {
			do:    func(w *world) error { return w.SetMeta("port", []byte("1")) },
			there: func(w *world) bool { _, ok, _ := w.Meta("port"); return ok },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if step.before != nil {
				must(t, step.before(w))
			}
			must(t, step.do(w))
			if w = w.crashed(); !step.there(w) {
				t.Error("lost")
			}
			must(t, w.Audit())
		})
	}
}

// TestNumbersShownAreSetApart raises more events behind than a sync sets numbers
// apart for.
func TestNumbersShownAreSetApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var out []*store.Outgoing
	for n := range 3000 {
		out = append(out, w.outgoing(n))
	}
	_, err := w.accept(out...)
	must(t, err)
	wakeups, cancel := w.Subscribe()
	defer cancel()
	for _, state := range []delivery.State{delivery.Sent, delivery.Relayed, delivery.Stored} {
		_, before := w.Cursors()
		var all []store.Status
		for n := range out {
			all = append(all, w.status(n, state))
		}
		w.SaveStatus(all)
		for newest := before; newest < before+3000; _, newest = w.Cursors() {
			<-wakeups
		}
	}
	_, shown := w.Cursors()
	w = w.crashed()
	if first, err := w.accept(w.outgoing(4000)); first <= shown || err != nil {
		t.Errorf("number %d after %d was shown, %v", first, shown, err)
	}
}
