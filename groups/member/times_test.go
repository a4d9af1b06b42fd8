package member_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// behind makes the page that continues bob's log, and takes it.
func (d *desk) behind(rs ...*wire.Record) member.Ready {
	d.t.Helper()
	p, hash := d.ledger.Log().End()
	return d.taken(d.page(hash, p.Seq+1, rs...))
}

func mistimed(r member.Ready) error {
	for _, e := range r.Events {
		if e.Kind == member.Mistimed {
			return e.Err
		}
	}
	return nil
}

// A hub's heads bear the time here, give or take what clocks may be off; a wrong time
// counts when two pages bear it that did not come together, and the pages are taken.
func TestAHubsTimeIsNearTheOneHere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ahead []time.Duration // on pages 10 s apart
		want  []error
	}{
		"some seconds off":            {[]time.Duration{4 * time.Second, -4 * time.Second, 0}, []error{nil, nil, nil}},
		"almost five minutes":         {[]time.Duration{4 * time.Minute, 5 * time.Minute, 290 * time.Second}, []error{nil, nil, nil}},
		"ahead":                       {[]time.Duration{6 * time.Minute, 6 * time.Minute}, []error{nil, member.ErrClock}},
		"behind":                      {[]time.Duration{-6 * time.Minute, -6 * time.Minute}, []error{nil, member.ErrClock}},
		"a page that waited":          {[]time.Duration{0, -4*time.Minute - 59*time.Second, 0, -4 * time.Minute}, []error{nil, nil, nil, nil}},
		"each second one waited long": {[]time.Duration{0, -time.Hour, 0, -time.Hour}, []error{nil, nil, nil, nil}},
		"set back once":               {[]time.Duration{4 * time.Minute, -4 * time.Minute, -4 * time.Minute}, []error{nil, nil, member.ErrBackward}},
		"set back again and again":    {[]time.Duration{time.Minute, -5 * time.Minute, -5 * time.Minute, -5 * time.Minute}, []error{nil, nil, member.ErrBackward, member.ErrBackward}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			for i, ahead := range c.ahead {
				d.ahead = ahead
				r := d.behind(d.writtenAhead(ahead))
				if err := mistimed(r); !errors.Is(err, c.want[i]) {
					t.Errorf("page %d: %v, not %v", i, err, c.want[i])
				}
				if d.ledger.Log().Seq() != wire.Seq(i+1) {
					t.Fatalf("page %d is not taken", i)
				}
				d.now = d.now.Add(10 * time.Second)
			}
		})
	}
}

// A page may wait long now and then. A hub of which many do, each between others that
// bear the right time, dates them so.
func TestPagesDoNotWaitAgainAndAgain(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		each time.Duration
		want bool
	}{"in an hour": {15 * time.Minute, true}, "in hours": {21 * time.Minute, false}} {
		d := newDesk(t)
		var named error
		for range 4 {
			d.ahead = 0
			d.behind(d.record())
			d.now = d.now.Add(time.Minute)
			d.ahead = -time.Hour
			named = mistimed(d.behind(d.writtenAhead(d.ahead)))
			d.now = d.now.Add(x.each - time.Minute)
		}
		if (named != nil) != x.want {
			t.Errorf("four of them %s: %v", name, named)
		}
	}
}

// Two pages that come together say it once: both may have waited.
func TestPagesThatComeTogetherSayATimeOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.ahead = -time.Hour
	for range 9 {
		if err := mistimed(d.behind(d.writtenAhead(d.ahead))); err != nil {
			t.Fatal(err)
		}
		d.now = d.now.Add(time.Second)
	}
}

// The hub's own word is the measure too: a beat, and a head that was heard past it.
func TestAHeadIsNotOlderThanWhatTheHubSaidBefore(t *testing.T) {
	t.Parallel()
	later := func(d *desk) wire.Millis { return wire.Millis(d.now.Add(4 * time.Minute).UnixMilli()) }
	for name, says := range map[string]func(d *desk){
		"a beat": func(d *desk) { d.m.OnBeat(d.now, &wire.Beat{Seq: 1, Time: later(d)}) },
		"a head": func(d *desk) {
			h, err := wire.ParseHead(protocols.Main, wire.Head{Group: d.c.Group(), Term: d.term, Seq: 9, Time: later(d)}.Sign(d.hub))
			if err != nil {
				d.t.Fatal(err)
			}
			d.m.OnHead(h)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.ahead = -90 * time.Second
			says(d)
			got := make([]bool, 2)
			for i := range got {
				got[i] = errors.Is(mistimed(d.behind(d.record())), member.ErrBackward)
				d.now = d.now.Add(10 * time.Second)
			}
			if !slices.Equal(got, []bool{false, true}) {
				t.Errorf("it is said to run backward: %v", got)
			}
		})
	}
}

// What another hub said is no measure.
func TestEachTermHasItsTime(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.ahead = 4 * time.Minute
	d.behind(d.record())
	d.carolLeads()
	d.ahead = -4 * time.Minute
	for range 3 {
		d.now = d.now.Add(10 * time.Second)
		if err := mistimed(d.behind(d.record())); err != nil {
			t.Fatal(err)
		}
	}
}

// A record from the future had to be refused by the hub's own clock, whatever the time
// is here. It is said once.
func TestARecordFromTheFutureHadToBeRefused(t *testing.T) {
	t.Parallel()
	for early, want := range map[time.Duration]error{5 * time.Minute: nil, 5*time.Minute + time.Millisecond: member.ErrFuture} {
		d := newDesk(t)
		d.ahead = -4 * time.Minute
		f := d.page(d.c.Hash(), 1, d.writtenAhead(d.ahead+early))
		if err := mistimed(d.taken(f)); !errors.Is(err, want) {
			t.Errorf("%v, not %v", err, want)
		}
		if err := mistimed(d.taken(f)); err != nil {
			t.Errorf("said again: %v", err)
		}
	}
}

// writtenAhead is a record of alice's whose time is so far ahead.
func (d *desk) writtenAhead(by time.Duration) *wire.Record {
	d.now = d.now.Add(by)
	r := d.record()
	d.now = d.now.Add(-by)
	return r
}

// One that was taken under another hub says nothing of this one.
func TestARecordOfTheFutureIsTheFaultOfWhoTookIt(t *testing.T) {
	t.Parallel()
	for name, took := range map[string]wire.Run{
		"the hub before":           {Number: 1, Primary: alice.Public()},
		"the hub, in another term": {Number: 1, Primary: carol.Public()},
		"that of another branch":   {Number: 2, Primary: alice.Public()},
	} {
		d := newDesk(t)
		raw := (&wire.Entry{Record: d.writtenAhead(time.Hour)}).Append(nil)
		d.carolLeads()
		took.Entries = 1
		hash := wire.LogHash(d.c.Hash()).Next(wire.Place{Number: took.Number, Primary: took.Primary, Seq: 1}, raw)
		head := wire.Head{Group: d.c.Group(), Term: d.term, Seq: 1, Log: hash, Time: wire.Millis(d.now.UnixMilli())}.Sign(carol)
		f := wire.Records{Group: d.c.Group(), First: 1, Before: d.c.Hash(), Runs: []wire.Run{took}, Entries: [][]byte{raw}, Head: head}
		if err := mistimed(d.taken(f.FanOut())); err != nil || d.ledger.Log().Seq() != 1 {
			t.Errorf("%s: %v, log up to %d", name, err, d.ledger.Log().Seq())
		}
	}
}
