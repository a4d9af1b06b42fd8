package seat_test

import (
	"testing"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/ledger"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/seat"
	"github.com/tom-protocol/tom/groups/wire"
)

// What a node promises by what it sends is on disk before; what the disk has otherwise
// may wait.
func TestWhatIsSavedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		save  seat.Save
		first bool
		empty bool
	}{
		"nothing":               {seat.Save{}, false, true},
		"whom it follows":       {seat.Save{Failover: &failover.Durable{}}, true, false},
		"an entry":              {seat.Save{Log: ledger.Change{Put: []journal.Entry{{}}}}, true, false},
		"entries that are gone": {seat.Save{Log: ledger.Change{Drop: []ledger.Span{{From: 1, To: 2}}}}, true, false},
		"where the log begins":  {seat.Save{Log: ledger.Change{Base: &ledger.Base{}}}, true, false},
		"an own record":         {seat.Save{Keep: []member.Kept{{Own: true}}}, true, false},
		"what is there already": {seat.Save{Anew: []member.Kept{{}}}, false, false},
		"what stands in a log":  {seat.Save{Drop: []wire.RecordName{{}}}, false, false},
	} {
		if first, empty := x.save.First(), x.save.Empty(); first != x.first || empty != x.empty {
			t.Errorf("%s: first %v, empty %v", name, first, empty)
		}
	}
}
