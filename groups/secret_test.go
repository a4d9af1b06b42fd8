package groups_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/integration/virtual"
)

// After a kick those who are left meet at another topic, which who was kicked
// cannot find; so does who comes in later.
func TestAKickMovesTheTopic(t *testing.T) {
	t.Parallel()
	inTown(t, 4, func(c *crowd) {
		virtual.Pass(time.Second)
		before := c.town.Meeting()
		if len(before) != 1 {
			c.t.Fatalf("they meet at %v", before)
		}
		_, err := c.nodes[0].Kick(c.t.Context(), c.group, c.nodes[3].Key)
		c.must(err)
		virtual.Pass(10 * time.Second)
		after := c.town.Meeting()
		for topic, n := range after {
			if n != 3 || before[topic] != 0 {
				c.t.Errorf("after the kick they meet at %v, before at %v", after, before)
			}
		}
		c.link, err = c.nodes[0].Invite(c.t.Context(), c.group, [32]byte{}, 9, time.Hour)
		c.must(err)
		c.nodes = c.nodes[:3]
		c.write(c.join("late"), "hello", 3)
		virtual.Pass(10 * time.Second)
		if now := c.town.Meeting(); len(now) != 1 {
			c.t.Errorf("with the new one they meet at %v", now)
		}
	})
}

// Who has lost all keys gets those that open what comes from then on; what was
// sealed before stays unreadable, and is said to be.
func TestALostKeyIsAskedFor(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		alice, bob := c.nodes[1], c.nodes[2]
		c.write(alice, "with a key", 2)
		virtual.Pass(5 * time.Second)
		bob.Stop()
		c.must(bob.Disk.Remove(c.group.String() + "-in"))
		c.must(bob.Start())
		c.write(alice, "without", 1)
		virtual.Pass(time.Minute)
		c.write(alice, "with a key again", 2)
		marks := make(map[string]groups.Mark)
		unreadable := 0
		for _, l := range c.log(bob) {
			marks[string(l.Body)] = l.Mark
			if l.Mark == groups.Unreadable {
				unreadable++
			}
		}
		if marks["with a key"] != groups.Effective || marks["with a key again"] != groups.Effective || unreadable != 1 {
			c.t.Errorf("%v, %d unreadable", marks, unreadable)
		}
	})
}
