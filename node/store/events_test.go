package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
)

func TestEventsFromTheMiddleOfACommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.accept(w.outgoing(1), w.outgoing(2), w.outgoing(3))
	must(t, err)
	got := w.events(2)
	if len(got) != 1 || got[0].Cursor != 3 || got[0].ID != id(3) || !got[0].At.Equal(noon) {
		t.Errorf("events %+v", got)
	}
	stop := errors.New("stop")
	n := 0
	err = w.Events(0, func(store.Event) (bool, error) { n++; return true, stop })
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("%d events, %v", n, err)
	}
}

func TestOldCursorsMeetAGap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.accept(w.outgoing(1))
	must(t, err)
	w.clock.advance(time.Hour)
	o := w.outgoing(2)
	o.Lifetime = 24 * time.Hour
	_, err = w.accept(o)
	must(t, err)
	must(t, w.Expire(w.clock.advance(23*time.Hour+2*time.Minute)))
	any := func(store.Event) (bool, error) { return true, nil }
	if err := w.Events(0, any); !errors.Is(err, store.ErrGap) {
		t.Errorf("events from a cursor too old: %v", err)
	}
	if err := w.Events(1_000_000, any); !errors.Is(err, store.ErrGap) {
		t.Errorf("events from a cursor to come: %v", err)
	}
	w = w.reopened()
	oldest, newest := w.Cursors()
	if oldest != 1 || newest != 3 { // the second message, and that the first expired
		t.Errorf("cursors %d to %d", oldest, newest)
	}
	if got := w.events(oldest); len(got) != 2 || got[0].ID != id(2) {
		t.Errorf("events %+v", got)
	}
}

// TestNumbersAreNeverGivenTwice crashes between commits that were shown and not
// synced.
func TestNumbersAreNeverGivenTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	last := store.Cursor(0)
	for n := range 20 {
		first, err := w.accept(w.outgoing(n))
		must(t, err)
		if first <= last {
			t.Fatalf("number %d after %d", first, last)
		}
		w.SaveStatus([]store.Status{w.status(n, 2), w.status(n, 5)})
		wakeups, cancel := w.Subscribe()
		for len(w.events(first)) < 2 {
			<-wakeups
		}
		cancel()
		_, last = w.Cursors()
		lost := w.kv.(*kv.MemoryStore).Crash(0)
		w = openWorld(t, lost, w.clock, w.cfg)
	}
}

func TestCleanStopLeavesNoGapInNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.accept(w.outgoing(1))
	must(t, err)
	w = w.reopened()
	if first, err := w.accept(w.outgoing(2)); first != 2 || err != nil {
		t.Errorf("number %d, %v", first, err)
	}
}
