package hub

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
)

var noon = time.UnixMilli(1_790_000_000_000)

func TestWhatIsUnderWayToOneMemberIsBounded(t *testing.T) {
	t.Parallel()
	var f flight
	for s := wire.Seq(1); !f.full(); s++ {
		f.left(noon, s, 100)
	}
	if len(f.pages) != flightPages {
		t.Errorf("full with %d small pages", len(f.pages))
	}
	f.landed(noon, flightPages-1)
	if f.full() || len(f.pages) != 1 || f.bytes != 100 {
		t.Errorf("%+v is left", f)
	}
	f.left(noon, 99, f.limit())
	if !f.full() {
		t.Error("not full with so many bytes")
	}
	f.landed(noon, 1000)
	if f.full() || f.bytes != 0 {
		t.Errorf("%+v is left of nothing", f)
	}
}

func TestAFastLinkCarriesMoreAndASlowOneLess(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		took time.Duration
		want int
	}{
		{10 * time.Millisecond, flightMost}, {time.Second, flightFirst}, {3 * time.Second, flightLeast},
	} {
		var f flight
		for s := wire.Seq(1); s < 20; s++ {
			f.left(noon, s, 100)
			f.landed(noon.Add(tt.took), s)
		}
		if f.limit() != tt.want {
			t.Errorf("after %v each: %d bytes may be under way, want %d", tt.took, f.limit(), tt.want)
		}
	}
}

func TestWhatIsUnderWayIsNotSentTwiceButIfItIsLost(t *testing.T) {
	t.Parallel()
	var f flight
	f.left(noon, 5, 30_000)
	f.left(noon.Add(time.Second), 9, 30_000)
	for _, tt := range []struct {
		after time.Duration
		at    wire.Seq
		want  bool
	}{
		{2 * time.Second, 3, true}, {2 * time.Second, 9, false}, {flightLost, 3, false},
	} {
		if got := f.goesOn(noon.Add(tt.after), tt.at); got != tt.want {
			t.Errorf("after %v, at %d: %v", tt.after, tt.at, got)
		}
	}
	small := flight{}
	small.left(noon, 5, 300)
	if small.goesOn(noon, 3) {
		t.Error("a small page is worth waiting for")
	}
}

// A link that is full shows that it goes on, and then nothing is sent once more; one
// on which nothing goes on is sent less from then on.
func TestAFullLinkIsNotFilledWithTheSame(t *testing.T) {
	t.Parallel()
	var f flight
	for s := wire.Seq(1); s <= 3; s++ {
		f.left(noon, s, flightPage)
	}
	f.landed(noon.Add(flightLost-time.Second), 1)
	late := noon.Add(2*flightLost - 2*time.Second)
	if !f.goesOn(late, 1) {
		t.Error("a page landed three seconds ago, and what follows it counts as lost")
	}
	late = late.Add(time.Second)
	if f.goesOn(late, 1) || !f.stands(late, flightLost) {
		t.Error("nothing has landed for four seconds, and it goes on")
	}
	f.less()
	f.less()
	f.less()
	if f.limit() != flightLeast {
		t.Errorf("%d bytes may be under way at least", f.limit())
	}
}

// A page is kept for those who lack the same, and not for long when none is made any
// more: it may be large.
func TestPagesAreForgotten(t *testing.T) {
	t.Parallel()
	h := &Hub{pages: pages{span{1, 2}: new(page)}, paged: 5, clock: 4 + pagesLife}
	if h.Step(noon, View{}); len(h.pages) != 1 {
		t.Error("a page is forgotten while others may lack it")
	}
	h.clock++
	if h.Step(noon, View{}); len(h.pages) != 0 {
		t.Error("a page is kept for ever")
	}
}
