package ledger

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var zero = time.Unix(1_700_000_000, 0)

func at(seconds int) time.Time { return zero.Add(time.Duration(seconds) * time.Second) }

func key(n int) Key { return Key{"alice", "bob", n} }

// book is a ledger in which all goes well for so many messages.
func book(t testing.TB, messages int) *Ledger {
	t.Helper()
	l := New()
	for n := range messages {
		id := fmt.Sprint("id", n)
		if err := l.Sent(key(n), at(n)); err != nil {
			t.Fatal(err)
		}
		if err := l.Accepted(key(n), id); err != nil {
			t.Fatal(err)
		}
		l.Received(key(n), id, at(n+1))
		l.Became(id, Delivered, at(n+2))
	}
	return l
}

func TestWhatGoesWellIsOnBothSides(t *testing.T) {
	t.Parallel()
	l := book(t, 10)
	if want := (Counts{Sent: 10, Accepted: 10, Delivered: 10, Received: 10}); l.Counts() != want {
		t.Errorf("%+v", l.Counts())
	}
	if h := l.Latency(); h.Count() != 10 || h.Quantile(1) != 2*time.Second || !l.Settled() {
		t.Errorf("%+v, settled %v", h.Summary(), l.Settled())
	}
}

func TestWhatGoesWrongIsCounted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		wrong   func(l *Ledger)
		change  func(c *Counts)
		settled bool
	}{
		{
			"lost", func(l *Ledger) { _ = l.Sent(key(5), at(5)); _ = l.Accepted(key(5), "x") },
			func(c *Counts) { c.Sent++; c.Accepted++; c.Lost++ }, false,
		},
		{
			"lost and given up", func(l *Ledger) { _ = l.Sent(key(5), at(5)); _ = l.Accepted(key(5), "x"); l.Became("x", Over, at(6)) },
			func(c *Counts) { c.Sent++; c.Accepted++; c.Lost++; c.Ended++ }, true,
		},
		{
			"not signed", func(l *Ledger) {
				_ = l.Sent(key(5), at(5))
				_ = l.Accepted(key(5), "x")
				l.Received(key(5), "x", at(6))
			},
			func(c *Counts) { c.Sent++; c.Accepted++; c.Received++; c.Unsigned++ }, false,
		},
		{
			"a receipt for nothing", func(l *Ledger) {
				_ = l.Sent(key(5), at(5))
				_ = l.Accepted(key(5), "x")
				l.Became("x", Delivered, at(6))
			},
			func(c *Counts) { c.Sent++; c.Accepted++; c.Delivered++; c.Lost++; c.Untrue++ }, false,
		},
		{
			"twice", func(l *Ledger) { l.Received(key(2), "id2", at(9)); l.Received(key(2), "id2", at(10)) },
			func(c *Counts) { c.Twice++ }, true,
		},
		{
			"never sent", func(l *Ledger) { l.Received(Key{"mallory", "bob", 1}, "y", at(9)) },
			func(c *Counts) { c.Strange++ }, true,
		},
		{
			"under another id", func(l *Ledger) { l.Received(key(2), "other", at(9)) },
			func(c *Counts) { c.Twice++; c.Swapped++ }, true,
		},
		{
			"refused", func(l *Ledger) { _ = l.Sent(key(5), at(5)); l.Refused(key(5)) },
			func(c *Counts) { c.Sent++; c.Refused++ }, true,
		},
		{
			"not answered, and accepted all the same", func(l *Ledger) { _ = l.Sent(key(5), at(5)); l.Unanswered(key(5)); l.Received(key(5), "x", at(7)) },
			func(c *Counts) { c.Sent++; c.Unanswered++; c.Anyway++; c.Received++ }, true,
		},
		{"out of order", func(l *Ledger) {
			_, _ = l.Sent(key(5), at(5)), l.Accepted(key(5), "x")
			_, _ = l.Sent(key(6), at(6)), l.Accepted(key(6), "y")
			l.Received(key(6), "y", at(7))
			l.Received(key(5), "x", at(8))
			l.Became("x", Delivered, at(9))
			l.Became("y", Delivered, at(9))
		}, func(c *Counts) { c.Sent += 2; c.Accepted += 2; c.Received += 2; c.Delivered += 2; c.Reordered++ }, true},
	}
	for _, test := range tests {
		l := book(t, 5)
		want := l.Counts()
		test.change(&want)
		test.wrong(l)
		if got := l.Counts(); got != want || l.Settled() != test.settled {
			t.Errorf("%s: %+v, want %+v; settled %v", test.name, got, want, l.Settled())
		}
	}
}

func TestTheOrderOfNewsDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := New()
		news := []func(){
			func() { _ = l.Accepted(key(1), "x") },
			func() { l.Received(key(1), "x", at(2)) },
			func() { l.Became("x", Stored, at(2)) },
			func() { l.Became("x", Delivered, at(3)) },
		}
		_ = l.Sent(key(1), at(1))
		for _, tell := range rapid.Permutation(news).Draw(t, "order") {
			tell()
		}
		if want := (Counts{Sent: 1, Accepted: 1, Delivered: 1, Received: 1, Stored: 1}); l.Counts() != want || !l.Settled() {
			t.Fatalf("%+v", l.Counts())
		}
	})
}

func TestAnIDIsGivenOnce(t *testing.T) {
	t.Parallel()
	l := book(t, 2)
	_ = l.Sent(key(7), at(7))
	if l.Accepted(key(7), "id1") == nil {
		t.Error("the id of another message is accepted")
	}
	if l.Accepted(key(8), "id8") == nil {
		t.Error("what was never sent is accepted")
	}
	if l.Sent(key(7), at(8)) == nil {
		t.Error("a number is used twice")
	}
}

func TestForeignNewsIsBounded(t *testing.T) {
	t.Parallel()
	l := New()
	for n := range maxEarly + 100 {
		l.Became(fmt.Sprint(n), Delivered, at(1))
	}
	if len(l.early) != maxEarly {
		t.Errorf("%d ids are kept", len(l.early))
	}
}

func TestWhatAListenerTells(t *testing.T) {
	t.Parallel()
	l := New()
	for n := range 10 {
		_, _ = l.Sent(key(n), at(n)), l.Accepted(key(n), fmt.Sprint(n))
		l.Became(fmt.Sprint(n), Delivered, at(n+1))
	}
	if !l.Signed() {
		t.Error("all are signed for")
	}
	l.Told("alice", "bob", func(n int) bool { return n != 3 && n != 4 }, 1, 2)
	want := Counts{Sent: 10, Accepted: 10, Delivered: 10, Received: 8, Lost: 2, Untrue: 2, Twice: 1, Strange: 2}
	if got := l.Counts(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestGapsAreFromTheBeginningToTheEnd(t *testing.T) {
	t.Parallel()
	l := New()
	for n, second := range []int{13, 11, 12, 30, 31} {
		_ = l.Sent(key(n), at(second))
		l.Received(key(n), fmt.Sprint(n), at(second))
	}
	got := l.Gaps(at(0), at(50), 5*time.Second)
	want := []Gap{{at(0), 11 * time.Second}, {at(13), 17 * time.Second}, {at(31), 19 * time.Second}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	if parts := l.Arrivals(at(0), at(50), 5); fmt.Sprint(parts) != "[0 3 0 2 0]" {
		t.Errorf("arrivals %v", parts)
	}
}
