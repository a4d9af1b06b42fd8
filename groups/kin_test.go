package groups_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
)

// Whoever shares a group with a node is told of to it, until they share none any more.
func TestKinAreThoseOfAGroup(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		founder, kicked, other := c.nodes[0], c.nodes[1], c.nodes[2]
		kin := func() bool { return founder.Kin(kicked.Key) && kicked.Kin(other.Key) && kicked.Kin(founder.Key) }
		virtual.Until(c.t, time.Minute, time.Second, "all are kin", kin)

		second, err := founder.Create(wire.Settings{Name: "another", Max: 9, Beat: wire.DefaultBeat})
		c.must(err)
		link, err := founder.Invite(c.t.Context(), second, [32]byte{}, 9, groups.Life)
		c.must(err)
		_, err = kicked.Join(c.t.Context(), link)
		c.must(err)
		c.kicks(founder, kicked)
		virtual.Until(c.t, time.Minute, time.Second, "two share no group", func() bool {
			return !other.Kin(kicked.Key) && !kicked.Kin(other.Key)
		})
		if !founder.Kin(kicked.Key) || !kicked.Kin(founder.Key) {
			c.t.Error("those who share another group are no kin")
		}
		_, err = kicked.Leave(c.t.Context(), second)
		c.must(err)
		virtual.Until(c.t, time.Minute, time.Second, "none are left", func() bool {
			return !founder.Kin(kicked.Key) && !kicked.Kin(founder.Key)
		})
	})
}
