package groups_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// marked checks that all messages of a node's log have a mark, and returns which.
func (c *crowd) marked(n *groupstest.Node, mark groups.Mark) map[wire.RecordID]bool {
	c.t.Helper()
	found := make(map[wire.RecordID]bool)
	for _, l := range c.log(n) {
		if l.Kind != wire.KindMessage {
			continue
		}
		found[l.ID] = true
		if l.Mark != mark {
			c.t.Errorf("%s: record %d of %s is %s, not %s", n.Name, l.Place.Seq, l.Name, l.Mark, mark)
		}
	}
	return found
}

// readable checks that all can read these messages, and were told of none that
// they never can.
func (c *crowd) readable(written []wire.RecordID) {
	c.t.Helper()
	for _, n := range c.nodes {
		found := c.marked(n, groups.Effective)
		for _, id := range written {
			if !found[id] {
				c.t.Errorf("%s has not %v", n.Name, id)
			}
		}
		events, _ := n.Events()
		for _, e := range events {
			if e.What == groups.NeverOpened {
				c.t.Errorf("%s was told %+v", n.Name, e)
			}
		}
	}
}

// talk lets all write so often, a second apart as chains of keys are written,
// without waiting for others to have it, and returns what was taken.
func (c *crowd) talk(times int) (taken []wire.RecordID) {
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	for i := range times {
		virtual.Pass(time.Second)
		for _, n := range c.nodes {
			if id, err := n.Send(ctx, c.group, "text/plain", fmt.Append(nil, i)); err == nil {
				taken = append(taken, id)
			}
		}
	}
	return taken
}

// greet lets each write, and all read it.
func (c *crowd) greet() (written []wire.RecordID) {
	for _, n := range c.nodes {
		written = append(written, c.write(n, "hello", len(c.nodes)-1).ID)
	}
	return written
}

// Whatever a node has written to disk when it crashes, all that it and the others
// wrote and will write is read by all: no key is used twice, none is lost.
func TestACrashCostsNoMessage(t *testing.T) {
	t.Parallel()
	for _, who := range []int{0, 1} { // the hub; a member
		t.Run(fmt.Sprint("node ", who), func(t *testing.T) {
			t.Parallel()
			inTown(t, 3, func(c *crowd) {
				written := c.greet()
				n := c.nodes[who]
				for writes := range 24 {
					n.CrashAfter(writes)
					written = append(written, c.talk(4)...)
					n.Crash()
					c.must(n.Start())
					written = append(written, c.greet()...)
					c.readable(written)
				}
			})
		})
	}
}

// A hub that crashes when a message is accepted, before it has written what that says,
// has sent it to all, and reads it after the restart.
func TestWhatIsAcceptedGoesOutBeforeTheHubHasWrittenWhatItSays(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		written := c.greet()
		virtual.Pass(2 * time.Second) // chains of keys are written
		hub := c.nodes[0]
		before := hub.Disk.Applied()
		hub.CrashAfter(1) // the record itself
		id, err := c.nodes[1].Send(c.t.Context(), c.group, "text/plain", []byte("hello"))
		c.must(err)
		virtual.Pass(200 * time.Millisecond) // nobody takes its place so soon
		if n := hub.Disk.Applied() - before; n != 1 {
			t.Errorf("the hub wrote %d times", n)
		}
		hub.Crash()
		for _, n := range c.nodes[1:] {
			if !c.marked(n, groups.Effective)[id] {
				t.Errorf("%s has not got it", n.Name)
			}
		}
		c.must(hub.Start())
		c.readable(append(append(written, id), c.greet()...))
	})
}

// A record is on the hub's disk before anybody is sent it: a hub that cannot write it
// shows it to nobody, and puts it into order after the restart.
func TestNobodyIsSentARecordThatTheHubHasNotWritten(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		written := c.greet()
		virtual.Pass(2 * time.Second) // chains of keys are written
		hub := c.nodes[0]
		hub.CrashAfter(0)
		id, err := c.nodes[1].Send(c.t.Context(), c.group, "text/plain", []byte("hello"))
		c.must(err)
		virtual.Pass(200 * time.Millisecond) // nobody takes its place so soon
		hub.Crash()
		for _, n := range c.nodes[1:] {
			if c.marked(n, groups.Effective)[id] {
				t.Errorf("%s has got it", n.Name)
			}
		}
		c.must(hub.Start())
		c.readable(append(append(written, c.greet()...), id))
	})
}

// What was read cannot be read by the keys on disk a second later, after a crash
// too.
func TestTheDiskHasNoKeysOfWhatWasRead(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		n := c.nodes[1]
		for range 3 {
			for _, of := range []int{0, 2} {
				c.write(c.nodes[of], "hello", 2)
			}
			n.Crash()
			c.must(n.Start())
		}
		virtual.Pass(2 * time.Second)
		n.Crash()
		var contents [][]byte
		c.must(n.Disk.Scan(c.group[:], func(key, _ []byte) error {
			if key[len(c.group)] == 't' {
				contents = append(contents, key)
			}
			return nil
		}))
		c.must(n.Disk.Apply(nil, contents))
		c.must(n.Start())
		if found := c.marked(n, groups.Unreadable); len(found) != len(contents) || len(found) != 6 {
			t.Errorf("%d messages, %d contents", len(found), len(contents))
		}
	})
}

// Who writes a message waits for its disk when it is written and when it comes with
// the log, and the others when it comes: not once more because it is accepted.
func TestAMessageWaitsForTheDiskWhenItIsWrittenAndWhenItComes(t *testing.T) {
	t.Parallel()
	inTown(t, 4, func(c *crowd) {
		c.greet()
		virtual.Pass(time.Second)
		author, other := c.nodes[1], c.nodes[2]
		c.town.Slow(func(_, _ protocols.Key) groupstest.Speed { return groupstest.Speed{Rate: 100_000} }) // it hears of the acceptance first
		const messages = 20
		before := []int{author.Disk.Applied(), other.Disk.Applied()}
		for i := range messages {
			c.write(author, fmt.Sprint("message ", i), 3)
		}
		for i, n := range []*groupstest.Node{author, other} {
			if waits := n.Disk.Applied() - before[i]; waits > (2-i)*messages+messages/4 {
				t.Errorf("%s waited %d times for its disk, for %d messages", n.Name, waits, messages)
			}
		}
	})
}

// Chains of keys are not written for every message.
func TestChainsAreWrittenNowAndThen(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		c.greet()
		before := make([]int, len(c.nodes))
		for i, n := range c.nodes {
			before[i] = n.Disk.Saves()
		}
		const messages = 200
		for i := range messages {
			c.write(c.nodes[1], fmt.Sprint("message ", i), 2)
		}
		for i, n := range c.nodes {
			if saves := n.Disk.Saves() - before[i]; saves > messages/8 {
				c.t.Errorf("%s wrote chains %d times for %d messages", n.Name, saves, messages)
			}
		}
	})
}
