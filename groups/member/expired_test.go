package member_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// bob writes, is not answered for a few seconds, and then hears nothing for longer than what he wrote lives. A hub may have taken
// it: he is told what the hub says when it is there again, and if it is heard and says
// nothing, that none has. Where its log is known to go on it may be there.
func TestWhatAHubMayHaveTakenIsNotGivenUp(t *testing.T) {
	t.Parallel()
	accepts := func(d *desk, r *wire.Record) {
		d.m.OnAccepted(&wire.Accepted{Records: []wire.AcceptedRecord{{ID: r.ID, Number: 1, Seq: 9}}})
	}
	refuses := func(d *desk, r *wire.Record) {
		d.m.OnRefused(d.now, &wire.Refused{Group: d.c.Group(), Record: r.ID, Reason: envelope.ReasonClock})
	}
	for name, x := range map[string]struct {
		answers func(*desk, *wire.Record)
		heard   bool
		after   int // seconds
		want    member.EventKind
	}{
		"nobody is there":     {func(*desk, *wire.Record) {}, false, 600, 0},
		"a hub took it":       {accepts, true, 1, member.Accepted},
		"it was late for all": {refuses, true, 1, member.Refused},
		"a hub says nothing":  {func(*desk, *wire.Record) {}, true, 9, member.Refused},
		"nor shows its log":   {func(d *desk, _ *wire.Record) { d.m.OnBeat(d.now, &wire.Beat{Seq: 99}) }, true, 600, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.letIn()
			r := d.signed(bob, wire.RecordID{99}, wire.KindRename, (&wire.Rename{Name: "bobby"}).Append(nil))
			d.m.Write(d.now, r)
			for range 6 {
				d.now = d.now.Add(time.Second)
				d.m.Heard(d.now)
				d.m.Tick(d.now)
			}
			d.m.Ready()
			d.now = d.now.Add(member.Life + time.Hour)
			var told []member.Event
			for range x.after {
				d.now = d.now.Add(time.Second)
				if x.heard {
					d.m.Heard(d.now)
				}
				d.m.Tick(d.now)
				ready := d.m.Ready()
				told = append(told, ready.Events...)
				if x.heard && brings(ready, r) {
					x.answers(d, r)
				}
			}
			told = append(told, d.m.Ready().Events...)
			switch {
			case x.want == 0:
				if len(told) != 0 {
					t.Errorf("bob is told %+v", told)
				}
			case len(told) != 1 || told[0].Kind != x.want || (told[0].Err != nil) != (x.want == member.Refused):
				t.Errorf("bob is told %+v", told)
			}
		})
	}
}

// brings says whether a record is published.
func brings(ready member.Ready, r *wire.Record) bool {
	for _, s := range ready.Send {
		if f, ok := s.Frame.(*wire.Publish); ok && len(f.Records) == 1 && string(f.Records[0]) == string(r.Bytes()) {
			return true
		}
	}
	return false
}
