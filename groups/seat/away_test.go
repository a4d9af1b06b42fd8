package seat_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// A member hears the hub's beats, and nothing comes of what it writes. It asks the hub
// whether it lives. A hub that sends its record withholds what is written; one that does
// not, or sends one that it may send unasked, or sent it when this node asked about
// something else, may not hear it.
func TestAHubThatMayNotHearIsNotAccused(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		first  bool // the hub answers, and takes what was written before
		answer func(now, older *wire.HubRecordFrame) *wire.HubRecordFrame
		deaf   bool
	}{
		"it is silent":           {false, func(_, _ *wire.HubRecordFrame) *wire.HubRecordFrame { return nil }, true},
		"it answers":             {false, func(now, _ *wire.HubRecordFrame) *wire.HubRecordFrame { return now }, false},
		"it sends another":       {false, func(_, older *wire.HubRecordFrame) *wire.HubRecordFrame { return older }, true},
		"it has answered before": {true, func(_, _ *wire.HubRecordFrame) *wire.HubRecordFrame { return nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, 4)
			hub, victim := r.signers[0], r.signers[3]
			older := r.seats[hub.Public()].Branch().Frame()
			r.pass(5 * time.Second)
			now := r.seats[victim.Public()].Branch().Frame()
			if string(now.Record) == string(older.Record) {
				t.Fatal("the hub has named nobody")
			}
			r.away[victim.Public()] = true
			d := deaf{room: r, hub: hub, victim: victim}
			if x.first {
				rec := d.write(1)
				d.until(t, func(asked bool, _ *member.Event) bool { return asked })
				d.says(&now)
				d.says(&wire.Accepted{Group: r.group(), Records: []wire.AcceptedRecord{{ID: rec.ID, Number: 1, Seq: 99}}})
				d.second()
			}
			d.write(2)
			d.until(t, func(asked bool, e *member.Event) bool {
				if f := x.answer(&now, &older); asked && f != nil {
					d.says(f)
				}
				if e != nil && e.Deaf != x.deaf {
					t.Errorf("it may not hear this node: %v", e.Deaf)
				}
				return e != nil
			})
		})
	}
}

// deaf is a member that is cut off from all, and hears what it is told.
type deaf struct {
	*room
	hub, victim protocols.Signer
	beats       wire.Counter
}

func (d *deaf) says(f wire.Frame) {
	d.t.Helper()
	d.must(d.seats[d.victim.Public()].Receive(d.now, d.hub.Public(), f))
}

func (d *deaf) write(id int) *wire.Record {
	rec := d.record(d.victim, d.group(), id, wire.KindRename, (&wire.Rename{Name: "unheard"}).Append(nil))
	d.seats[d.victim.Public()].Write(d.now, rec)
	return rec
}

// second is one in which the hub beats. It says whether the hub is asked if it lives, and
// what it is said to withhold.
func (d *deaf) second() (asked bool, withheld *member.Event) {
	d.t.Helper()
	st := d.seats[d.victim.Public()]
	d.now = d.now.Add(time.Second)
	d.beats++
	b := wire.Beat{
		Group: d.group(), Term: st.Branch().Term(), Version: st.Branch().Record.Version, Counter: 1<<50 + d.beats, Time: wire.Millis(d.now.UnixMilli()),
	}
	d.says(&wire.BeatFrame{Beat: b.Sign(d.hub)})
	st.Tick(d.now)
	ready := st.Ready(d.now)
	for _, s := range ready.Send {
		_, alive := s.Frame.(*wire.Alive)
		asked = asked || alive && s.To == d.hub.Public()
	}
	for _, e := range ready.Record {
		if e.Kind == member.Withheld {
			withheld = &e
		}
	}
	return asked, withheld
}

func (d *deaf) until(t *testing.T, f func(asked bool, e *member.Event) bool) {
	t.Helper()
	for range 30 {
		if f(d.second()) {
			return
		}
	}
	t.Fatal("nothing happens")
}
