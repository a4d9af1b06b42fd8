package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
)

func TestReceivedMessageIsThereAfterRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.incoming(1), w.incoming(2)
	first, err := w.receive(a, b)
	must(t, err)
	if a.Outcome != store.Storing || a.Cursor != first || b.Cursor != first+1 {
		t.Errorf("received %+v, %+v from %d", a, b, first)
	}
	w = w.reopened()
	all := w.inbox(store.Query{})
	if len(all) != 2 {
		t.Fatalf("%d rows", len(all))
	}
	got := all[1]
	if string(got.Content) != "body 2" || got.From != key(3) || got.ID != id(2) || got.Digest != digest(2) || got.Path != "direct" ||
		!got.End.Equal(b.End) || !got.Created.Equal(b.Created) || !got.Received.Equal(b.Received) || got.Cursor != b.Cursor {
		t.Errorf("listed %+v", got)
	}
	if d, seen, err := w.Seen(key(3), id(2)); d != digest(2) || seen != store.Seen || err != nil {
		t.Errorf("window: %v, %v, %v", d, seen, err)
	}
	if _, seen, _ := w.Seen(key(4), id(2)); seen != store.Fresh {
		t.Error("the window forgets whose id it is")
	}
	must(t, w.Audit())
}

func TestDuplicatesAreStoredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.receive(w.incoming(1))
	must(t, err)
	again, twin, fresh := w.incoming(1), w.incoming(2), w.incoming(2)
	_, err = w.receive(again, twin, fresh)
	must(t, err)
	if again.Outcome != store.Duplicate || twin.Outcome != store.Storing || fresh.Outcome != store.Duplicate {
		t.Errorf("outcomes %v, %v, %v", again.Outcome, twin.Outcome, fresh.Outcome)
	}
	if n := len(w.inbox(store.Query{})); n != 2 {
		t.Errorf("%d rows", n)
	}
	must(t, w.Audit())
}

// TestCopiesThatRaceAreStoredOnce gives the same messages to many goroutines.
func TestCopiesThatRaceAreStoredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range 100 {
				if _, err := w.receive(w.incoming(n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(w.inbox(store.Query{})); n != 100 {
		t.Errorf("%d rows", n)
	}
	if n := len(w.events(0)); n != 100 {
		t.Errorf("%d events", n)
	}
	must(t, w.Audit())
}

// TestCopyBeingStoredIsNotReceiptable holds a commit back and asks the window.
func TestCopyBeingStoredIsNotReceiptable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entered, release := make(chan struct{}), make(chan struct{})
	w.kv.(*kv.MemoryStore).SetFault(func(_ *kv.Batch, sync bool) error {
		close(entered)
		<-release
		return kv.ErrDiskFull
	})
	done := make(chan error, 1)
	w.Receive([]*store.Incoming{w.incoming(1)}, func(_ store.Cursor, err error) { done <- err })
	if d, seen, err := w.Seen(key(3), id(1)); seen != store.InFlight || d != digest(1) || err != nil {
		t.Errorf("window: %v, %v, %v", d, seen, err)
	}
	<-entered
	close(release)
	if err := <-done; !errors.Is(err, kv.ErrDiskFull) {
		t.Errorf("done: %v", err)
	}
	if _, seen, _ := w.Seen(key(3), id(1)); seen != store.Fresh {
		t.Errorf("window after a failed commit: %v", seen)
	}
	w.kv.(*kv.MemoryStore).SetFault(nil)
	_, err := w.receive(w.incoming(1))
	must(t, err)
	must(t, w.Audit())
}

func TestHiddenMessageIsOnlyInTheWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.incoming(1)
	in.Hidden = true
	_, err := w.receive(in)
	must(t, err)
	if _, seen, _ := w.Seen(key(3), id(1)); seen != store.Seen {
		t.Error("not in the window")
	}
	if len(w.inbox(store.Query{})) != 0 || len(w.events(0)) != 0 || w.Unread() != 0 {
		t.Error("it shows")
	}
	must(t, w.Audit())
}

func TestReading(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.incoming(1), w.incoming(2)
	_, err := w.receive(a, b)
	must(t, err)
	at := w.clock.advance(time.Second)
	marked, err := w.MarkRead(at, a.Cursor, a.Cursor, 99)
	must(t, err)
	if len(marked) != 1 || marked[0].ID != id(1) || marked[0].Digest != digest(1) || marked[0].From != key(3) {
		t.Errorf("marked %+v", marked)
	}
	marked, err = w.MarkRead(at, a.Cursor)
	must(t, err)
	if len(marked) != 0 || w.Unread() != 1 {
		t.Errorf("marked again: %+v, unread %d", marked, w.Unread())
	}
	events := w.events(b.Cursor)
	if len(events) != 1 || events[0].Kind != store.WasRead || events[0].Row != a.Cursor || events[0].ID != id(1) {
		t.Errorf("events %+v", events)
	}
	w = w.reopened()
	if unread := w.inbox(store.Query{Unread: true}); len(unread) != 1 || unread[0].ID != id(2) {
		t.Errorf("unread %+v", unread)
	}
	if got, err := w.Message(a.Cursor); err != nil || !got.Read.Equal(at) || string(got.Content) != "body 1" {
		t.Errorf("message %+v, %v", got, err)
	}
	must(t, w.Audit())
}

func TestListing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.SaveContact(store.Contact{Key: key(3), Name: "carol"}))
	must(t, w.SaveContact(store.Contact{Key: key(4), Muted: true}))
	known, strange, muted := w.incoming(1), w.incoming(2), w.incoming(3)
	strange.From, strange.Stranger = key(5), true
	muted.From, muted.Stranger, muted.Muted = key(4), true, true
	since, err := w.receive(known, strange, muted)
	must(t, err)
	list := func(q store.Query) (s string) {
		for _, in := range w.inbox(q) {
			s += string(in.Content[len("body "):])
			if in.Stranger {
				s += "s"
			}
			if in.Muted {
				s += "m"
			}
		}
		return s
	}
	check := func(when, all, requests string) {
		t.Helper()
		if a, r := list(store.Query{}), list(store.Query{Requests: true}); a != all || r != requests {
			t.Errorf("%s: all %q, requests %q; want %q, %q", when, a, r, all, requests)
		}
	}
	check("at first", "12s", "2s3sm")
	if n := len(w.events(since - 1)); n != 2 {
		t.Errorf("%d events of three messages, one muted", n)
	}
	if got := list(store.Query{Since: since, Limit: 1}); got != "2s" {
		t.Errorf("since and limit: %q", got)
	}
	must(t, w.RemoveContact(key(4)))
	check("unmuted", "12s3s", "2s3s")
	must(t, w.SaveContact(store.Contact{Key: key(5), Name: "eve"}))
	check("named", "123s", "3s")
	_, err = w.accept(&store.Outgoing{ID: id(50), To: key(4), Created: w.clock.Now(), Lifetime: time.Hour})
	must(t, err)
	check("answered", "123", "")
	must(t, w.Audit())
}

func TestStrangersGetHalfOfTheInbox(t *testing.T) {
	t.Parallel()
	w := openWorld(t, kv.Memory(), &clock{now: noon}, store.Config{InboxLimit: 20_000})
	stranger := func(n int) *store.Incoming {
		in := w.incoming(n)
		in.Stranger, in.Content = true, make([]byte, 4000)
		return in
	}
	a, b, c := stranger(1), stranger(2), stranger(3)
	_, err := w.receive(a, b, c)
	must(t, err)
	if a.Outcome != store.Storing || b.Outcome != store.Storing || c.Outcome != store.NoRoom {
		t.Errorf("outcomes %v, %v, %v", a.Outcome, b.Outcome, c.Outcome)
	}
	if w.Room(true, 4000) || !w.Room(false, 4000) {
		t.Error("room is wrong")
	}
	w = w.reopened()
	if w.Room(true, 4000) {
		t.Error("room after restart is wrong")
	}
	must(t, w.SaveContact(store.Contact{Key: key(3), Name: "carol"}))
	w.settle()
	if !w.Room(true, 4000) {
		t.Error("a named peer still counts as stranger")
	}
	must(t, w.Audit())
	must(t, w.Expire(w.clock.advance(2*time.Hour)))
	if !w.Room(false, 19_000) || !w.Room(true, 9_000) {
		t.Error("what ended still takes room")
	}
	must(t, w.Audit())
}
