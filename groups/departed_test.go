package groups_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/protocols"
)

// A group falls apart, and on the side of its hub one of the other side is kicked:
// the hub there, or one that follows it. When both sides meet it is told.
func TestWhoWasKickedOnTheOtherSideIsTold(t *testing.T) {
	t.Parallel()
	for name, leads := range map[string]bool{"who leads there": true, "who follows there": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inTown(t, 5, func(c *crowd) {
				for i, n := range c.nodes {
					c.write(n, fmt.Sprint("before ", i), 4)
				}
				other := make(map[protocols.Key]bool)
				for _, n := range c.nodes[2:] {
					other[n.Key] = true
				}
				c.town.Cut(func(a, b protocols.Key) bool { return other[a] != other[b] })
				c.write(c.nodes[2], "on the side without the hub", 2)
				i, err := c.nodes[2].Show(c.t.Context(), c.group)
				c.must(err)
				var victim *groupstest.Node
				for _, n := range c.nodes[2:] {
					if (n.Key == i.Hub) == leads {
						victim = n
					}
				}
				c.write(c.nodes[1], "on the side of the hub", 1)
				_, err = c.nodes[0].Kick(c.t.Context(), c.group, victim.Key)
				c.must(err)
				c.write(c.nodes[0], "without it", 1)
				c.write(victim, "it knows nothing of that", 2)
				c.town.Cut(func(a, b protocols.Key) bool { return false })
				ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
				defer cancel()
				_, err = victim.Told(ctx, func(e groups.Event) bool { return e.What == groups.Removed })
				c.must(err)
			})
		})
	}
}
