package member_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
)

// What a member that stood still has not heard of is not withheld: it counts anew.
func TestWhoStoodStillAccusesNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.letIn()
	d.m.Write(d.now, d.signed(bob, wire.RecordID{99}, wire.KindRename, (&wire.Rename{Name: "bobby"}).Append(nil)))
	withholds := func(after time.Duration) bool {
		d.now = d.now.Add(after)
		d.m.Heard(d.now)
		d.m.Tick(d.now)
		_, yes := d.m.Withholds(d.now)
		return yes
	}
	for range 9 {
		if withholds(time.Second) {
			t.Fatal("withheld before its time")
		}
	}
	for range 2 {
		if withholds(16 * time.Second) {
			t.Fatal("withheld at waking")
		}
	}
	for range 9 {
		if withholds(time.Second) {
			t.Fatal("withheld soon after waking")
		}
	}
	if !withholds(time.Second) {
		t.Error("what stays unanswered is not withheld")
	}
}

// Nor is what was unanswered when the hub fell silent: neither what is one's own, nor
// what another brought.
func TestAHubThatFellSilentWithholdsNothing(t *testing.T) {
	t.Parallel()
	for name, bring := range map[string]func(*desk, *wire.Record){
		"one's own": func(d *desk, r *wire.Record) { d.m.Write(d.now, r) },
		"another's": func(d *desk, r *wire.Record) { d.m.OnPublish(d.now, []*wire.Entry{{Record: r}}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.letIn()
			author := bob
			if name == "another's" {
				author = alice
			}
			bring(d, d.signed(author, wire.RecordID{99}, wire.KindRename, (&wire.Rename{Name: "bobby"}).Append(nil)))
			second := func(heard bool) bool {
				d.now = d.now.Add(time.Second)
				if heard {
					d.m.Heard(d.now)
				}
				d.m.Tick(d.now)
				_, yes := d.m.Withholds(d.now)
				return yes
			}
			for range 8 {
				second(true)
			}
			for range 20 {
				if second(false) {
					t.Fatal("it was not heard while it did not answer")
				}
			}
			for i := range 20 {
				if second(true) {
					if i < 9 {
						t.Errorf("withheld %d s after it is heard again", i)
					}
					return
				}
			}
			t.Error("what it does not take although it is heard again is not withheld")
		})
	}
}

// Whom a hub has not let in is no member, and does not know what keeps the hub from it.
func TestWhoIsNotInAccusesNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.m.Write(d.now, d.signed(bob, wire.RecordID{99}, wire.KindJoin, (&wire.Join{Name: "bob"}).Append(nil)))
	for range 30 {
		d.now = d.now.Add(time.Second)
		d.m.Heard(d.now)
		d.m.Tick(d.now)
		if _, yes := d.m.Withholds(d.now); yes {
			t.Fatal("withheld")
		}
	}
}

// letIn shows bob his join.
func (d *desk) letIn() {
	d.t.Helper()
	d.taken(d.page(d.c.Hash(), 1, d.signed(bob, wire.RecordID{98}, wire.KindJoin, (&wire.Join{Name: "bob"}).Append(nil))))
}
