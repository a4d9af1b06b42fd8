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
