package reputation

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
)

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	peer  = protocols.Key{1}
)

func TestUnknownPeerIsNeutral(t *testing.T) {
	t.Parallel()
	b := NewBook(start, nil)
	if w := b.Weight(start, peer); w != 1 {
		t.Errorf("weight %v", w)
	}
	if why := b.Why(start, peer); why.Known || why.Weight != 1 {
		t.Errorf("%+v", why)
	}
}

func TestWeightFollowsTheEvidence(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		do   func(b *Book)
		want float64
	}{
		{"a word", func(b *Book) { b.Took(start, peer, time.Second) }, 1.25},
		{"a word and a receipt", func(b *Book) { b.Took(start, peer, time.Second); b.Proved(start, peer) }, 2},
		{"silence", func(b *Book) { b.Silent(start, peer) }, 0.5},
		{"a word and no receipt", func(b *Book) { b.Took(start, peer, time.Second); b.Lost(start, peer) }, 0.5},
		{"we worked for it", func(b *Book) { b.Served(start, peer, 0); b.Served(start, peer, 64<<10) }, 0.5},
		{"any amount of work", func(b *Book) {
			for range 1000 {
				b.Took(start, peer, time.Second)
				b.Proved(start, peer)
			}
		}, Ceiling},
		{"any amount of failure", func(b *Book) {
			for range 1000 {
				b.Lost(start, peer)
			}
		}, Floor},
		{"one who takes and takes", func(b *Book) {
			for range 100000 {
				b.Served(start, peer, 256<<10)
			}
		}, Floor},
	}
	for _, c := range cases {
		b := NewBook(start, nil)
		c.do(b)
		if got := b.Weight(start, peer); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: weight %v; want %v", c.name, got, c.want)
		}
	}
}

func TestCreditAndBlameFadeToNeutral(t *testing.T) {
	t.Parallel()
	good, bad := NewBook(start, nil), NewBook(start, nil)
	for range 6 {
		good.Took(start, peer, time.Second)
		good.Proved(start, peer)
		bad.Silent(start, peer)
	}
	if got := good.Weight(start.Add(HalfLife), peer); math.Abs(got-4) > 1e-9 {
		t.Errorf("half of the credit: weight %v; want 4", got)
	}
	if got := bad.Weight(start.Add(HalfLife), peer); math.Abs(got-0.25) > 1e-9 {
		t.Errorf("half of the blame: weight %v; want 0.25", got)
	}
	later := start.Add(20 * HalfLife)
	for _, b := range []*Book{good, bad} {
		if w := b.Weight(later, peer); w != 1 {
			t.Errorf("weight %v after twenty half-lives", w)
		}
		if left := b.Records(later); len(left) != 0 {
			t.Errorf("worth keeping: %+v", left)
		}
	}
}

func TestClockSetBackChangesNothing(t *testing.T) {
	t.Parallel()
	b := NewBook(start, nil)
	b.Silent(start, peer)
	before := b.Weight(start, peer)
	if got := b.Weight(start.Add(-48*time.Hour), peer); got != before {
		t.Errorf("weight %v in the past; want %v", got, before)
	}
}

// What is explained is what is applied.
func TestExplanationMultipliesToTheWeight(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b, now := NewBook(start, nil), start
		for range rapid.IntRange(0, 40).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(-60, 6000).Draw(t, "minutes")) * time.Minute)
			switch rapid.IntRange(0, 4).Draw(t, "event") {
			case 0:
				b.Took(now, peer, time.Second)
			case 1:
				b.Proved(now, peer)
			case 2:
				b.Silent(now, peer)
			case 3:
				b.Lost(now, peer)
			case 4:
				b.Served(now, peer, rapid.IntRange(0, 256<<10).Draw(t, "size"))
			}
		}
		why := b.Why(now, peer)
		product := 1.0
		for _, term := range why.Terms {
			product *= term.Factor
		}
		if want := min(max(product, Floor), Ceiling); math.Abs(why.Weight-want) > 1e-9 || why.Weight != b.Weight(now, peer) {
			t.Fatalf("weight %v, applied %v, terms %+v", why.Weight, b.Weight(now, peer), why.Terms)
		}
		if rate := why.SuccessRate(); rate <= 0 || rate >= 1 {
			t.Fatalf("success rate %v", rate)
		}
	})
}

func TestCrowdDoesNotPushOutWhoDidOurWork(t *testing.T) {
	t.Parallel()
	b := NewBook(start, nil)
	for range 10 {
		b.Took(start, peer, time.Second)
		b.Proved(start, peer)
	}
	for i := range 4 * maxPeers {
		b.Served(start, protocols.Key{2, byte(i), byte(i >> 8), byte(i >> 16)}, 0)
	}
	if n := len(b.records); n > maxPeers {
		t.Errorf("%d records", n)
	}
	if why := b.Why(start, peer); !why.Known || why.Work != 10 {
		t.Errorf("the worker is remembered so: %+v", why)
	}
}

func TestRecordsFromADiskAreHeldToReason(t *testing.T) {
	t.Parallel()
	b := NewBook(start, []Record{{
		Peer: peer, At: start.Add(time.Hour), Work: math.NaN(), Silent: math.Inf(1), Lost: -5, Streak: 1 << 40,
		Latency: -time.Second, FailedAt: start.Add(1000 * time.Hour),
	}})
	r := b.Record(start, peer)
	if w := b.Weight(start, peer); w != 1 || r.Streak != 64 || r.Latency != 0 || r.FailedAt.After(start) {
		t.Errorf("weight %v, %+v", w, r)
	}
}
