package groups_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// A group of very many, who all came by one link, works as one of few does: what one
// writes is soon with all, who all say so to its author, also when the hub is killed
// and the next one serves them. With SOAK=1 there are as many as may be in a group.
func TestAGroupOfVeryManyWorks(t *testing.T) {
	t.Parallel()
	members := 120
	if os.Getenv("SOAK") == "1" {
		members = wire.MaxMembers
	}
	inTown(t, members, func(c *crowd) {
		c.town.Slow(func(_, _ protocols.Key) groupstest.Speed { return groupstest.Speed{Delay: 10 * time.Millisecond} })
		first, author := c.nodes[0], c.nodes[len(c.nodes)-1]
		c.within(3*time.Second, author, members-1) // its key goes to all first: to who has not heard of all yet, twice
		c.within(200*time.Millisecond, author, members-1)
		c.within(3*time.Second, first, members-1)
		c.within(200*time.Millisecond, first, members-1)

		first.Crash()
		c.nodes = c.nodes[1:]
		c.within(5*time.Second, author, members-2)
		c.within(200*time.Millisecond, author, members-2)
		i, err := author.Show(c.t.Context(), c.group)
		c.must(err)
		lacks := func(m groups.MemberInfo) bool { return m.Acked < i.Seq && m.Node != first.Key }
		if len(i.Members) != members || i.Hub == first.Key || slices.ContainsFunc(i.Members, lacks) {
			c.t.Errorf("%d members, hub %s, log up to %d", len(i.Members), i.Hub, i.Seq)
		}
	})
}

// within lets a node write what so many others must have acknowledged so soon.
func (c *crowd) within(most time.Duration, n *groupstest.Node, delivered int) {
	c.t.Helper()
	begin := time.Now()
	c.write(n, "to all", delivered)
	if took := time.Since(begin); took > most {
		c.t.Errorf("%d had it after %v", delivered, took)
	}
}
