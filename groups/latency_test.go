package groups_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// A message waits for nothing but its way: to the hub, from there to the shadow and
// back, and to all; and so do the receipts.
func TestAMessageAndItsReceiptsWaitForNothingButTheWay(t *testing.T) {
	t.Parallel()
	inTown(t, 10, func(c *crowd) {
		author := c.nodes[5]
		c.write(author, "gives all the key", 9)
		const way = 20 * time.Millisecond
		c.town.Slow(func(_, _ protocols.Key) groupstest.Speed { return groupstest.Speed{Delay: way} })
		virtual.Pass(10*time.Second + 7*time.Millisecond)
		timed := func(what string, ways int, far func(groups.Standing) bool) {
			c.t.Helper()
			begin := time.Now()
			id, err := author.Send(c.t.Context(), c.group, "text/plain", []byte(what))
			c.must(err)
			if _, err := author.Await(c.t.Context(), c.group, id, far); err != nil {
				c.t.Fatal(err)
			}
			// Where a timer has just run, the next may run 5 ms later: at a member, and at the hub.
			if took := time.Since(begin); took > time.Duration(ways)*way+10*time.Millisecond {
				c.t.Errorf("%s after %v, %d ways of %v", what, took, ways, way)
			}
		}
		withAll := func(s groups.Standing) bool { return s.Delivered == 9 }
		timed("accepted", 4, func(s groups.Standing) bool { return s.Accepted })
		virtual.Pass(3*time.Second + 7*time.Millisecond)
		timed("delivered to all", 6, withAll)
		for range 20 {
			timed("delivered to all, one after the other", 6, withAll)
		}
	})
}
