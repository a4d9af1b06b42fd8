package groups_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// A member that reads nothing and one on a slow link hold up nobody and cost the
// hub a bounded part of its memory. Both have it all when they can.
func TestSlowMembersHoldUpNobody(t *testing.T) {
	t.Parallel()
	inTown(t, 6, func(c *crowd) {
		for _, n := range c.nodes {
			c.write(n, "hello", 5) // all have all keys
		}
		hub, deaf, slow := c.nodes[0], c.nodes[4], c.nodes[5]
		c.town.Slow(func(from, to protocols.Key) groupstest.Speed {
			switch {
			case to == deaf.Key:
				return groupstest.Speed{Deaf: true}
			case to == slow.Key || from == slow.Key:
				return groupstest.Speed{Delay: 300 * time.Millisecond, Rate: 20_000}
			}
			return groupstest.Speed{Delay: 5 * time.Millisecond}
		})
		virtual.Pass(15 * time.Second) // neither is shadow any more
		body := bytes.Repeat([]byte("x"), 2_000)
		begun, longest, most := time.Now(), time.Duration(0), 0
		for i := range 600 {
			n := c.nodes[i%4]
			id, err := n.Send(c.t.Context(), c.group, "text/plain", body)
			c.must(err)
			if i%30 == 29 {
				one := time.Now()
				c.reaches(n, id, 3)
				longest = max(longest, time.Since(one))
				_, waits := c.town.Queued(hub, deaf)
				most = max(most, waits)
			}
		}
		took := time.Since(begun)
		if longest > 4*time.Second || took > 20*time.Second {
			c.t.Errorf("the others had to wait for up to %v, %v in all", longest, took)
		}
		if most > 1<<20 {
			c.t.Errorf("%d bytes wait for the member that reads nothing", most)
		}
		c.t.Logf("600 messages of 2 kB in %v, one in up to %v; at most %d bytes waited for the member that reads nothing", took, longest, most)
		end := c.write(hub, "the end", 4) // with the slow one
		if d := time.Since(begun); d > 3*time.Minute {
			c.t.Errorf("the slow one has it after %v", d)
		}
		c.town.Slow(func(_, _ protocols.Key) groupstest.Speed { return groupstest.Speed{} })
		c.reaches(hub, end.ID, 5)
	})
}
