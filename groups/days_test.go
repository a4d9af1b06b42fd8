package groups_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// slowly runs f in virtual time with a group whose hub beats as seldom as may be:
// days of it go by in seconds.
func slowly(t *testing.T, f func(c *crowd)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{t: t, town: groupstest.New()}
		defer c.town.Close()
		c.nodes = append(c.nodes, c.settle("founder"))
		var err error
		c.group, err = c.nodes[0].Create(wire.Settings{Name: "crowd", Max: 99, Beat: wire.MaxBeat})
		c.must(err)
		c.invite(c.nodes[0])
		f(c)
	})
}

func (c *crowd) invite(by *groupstest.Node) {
	c.t.Helper()
	var err error
	c.link, err = by.Invite(c.t.Context(), c.group, [32]byte{}, 9, groups.Life)
	c.must(err)
}

func (c *crowd) log(n *groupstest.Node) []groups.Line {
	c.t.Helper()
	lines, err := n.Log(c.t.Context(), c.group, 0, 1000, 0)
	c.must(err)
	return lines
}

// young checks that nothing in a node's log is older than it may be, and counts what
// can be read there, and the snapshots. Behind a record comes a snapshot within an
// hour, and it goes with all before that by the first that is made when their day is
// over, within an hour again. The one that the log begins with is an hour older.
func (c *crowd) young(n *groupstest.Node) (texts, snapshots int) {
	c.t.Helper()
	for i, l := range c.log(n) {
		oldest := 26*time.Hour + 20*time.Minute
		switch {
		case l.Kind != wire.KindSnapshot:
		case i == 0:
			oldest += time.Hour
		default:
			oldest -= time.Hour
		}
		switch {
		case time.Since(l.Time) > oldest:
			c.t.Errorf("%s has a %v that is %v old", n.Name, l.Kind, time.Since(l.Time))
		case l.Kind == wire.KindSnapshot:
			snapshots++
		case l.Mark == groups.Effective:
			texts++
		}
	}
	return texts, snapshots
}

// What is a day old goes from every disk, two hours later at most, by the snapshots
// that the founder's node makes by itself. Who comes in on the third day gets a
// snapshot and what follows, knows the members by it, and talks with them.
func TestADayLaterItIsGone(t *testing.T) {
	t.Parallel()
	slowly(t, func(c *crowd) {
		c.join("bob")
		c.join("carol")
		for hour := range 60 {
			c.write(c.nodes[hour%3], fmt.Sprint("hour ", hour), 2)
			virtual.Pass(time.Hour)
			for _, n := range c.nodes {
				c.young(n)
			}
		}
		for _, n := range c.nodes {
			texts, snapshots := c.young(n)
			if rows, _ := n.Disk.Size(); rows > 90 || texts < 23 || snapshots < 10 {
				t.Errorf("%s: %d rows, %d texts, %d snapshots", n.Name, rows, texts, snapshots)
			}
		}
		c.nodes[1].Stop()
		c.must(c.nodes[1].Start())
		c.invite(c.nodes[0])
		dave := c.join("dave")
		c.write(dave, "on the third day", 3)
		c.write(c.nodes[1], "welcome", 3)
		if lines := c.log(dave); lines[0].Kind != wire.KindSnapshot {
			t.Errorf("the log of who came late begins with %v", lines[0].Kind)
		}
		i, err := dave.Show(c.t.Context(), c.group)
		c.must(err)
		if len(i.Members) != 4 || i.Members[1].Name != "bob" {
			t.Errorf("it knows %v", i.Members)
		}
	})
}

// Who was away for longer than a day comes back to what is not a day old.
func TestWhoWasAwayForTwoDaysComesBack(t *testing.T) {
	t.Parallel()
	slowly(t, func(c *crowd) {
		bob, carol := c.join("bob"), c.join("carol")
		c.write(bob, "see you", 2)
		carol.Stop()
		for hour := range 48 {
			c.write(c.nodes[hour%2], fmt.Sprint("hour ", hour), 1)
			virtual.Pass(time.Hour)
		}
		c.must(carol.Start())
		c.write(bob, "there you are", 2)
		readable := 0
		for _, l := range c.log(carol) {
			if l.Kind == wire.KindMessage && l.Mark == groups.Effective {
				readable++
			}
		}
		if readable < 20 {
			t.Errorf("of a day she reads %d messages", readable)
		}
	})
}

// What no hub takes within its day is not forgotten in silence: its author is told, and
// waits no longer.
func TestWhatNobodyTakesWithinADayIsTold(t *testing.T) {
	t.Parallel()
	slowly(t, func(c *crowd) {
		c.join("bob")
		carol := c.join("carol")
		c.write(carol, "taken", 2)
		virtual.Pass(time.Minute)
		c.town.Drop(func(from, _ protocols.Key, hub bool, frame []byte) bool {
			return from == carol.Key && publishes(hub, frame)
		})
		id, err := carol.Send(c.t.Context(), c.group, "text/plain", []byte("for nobody"))
		c.must(err)
		ctx, cancel := context.WithTimeout(c.t.Context(), 25*time.Hour)
		defer cancel()
		begun := time.Now()
		st, err := carol.Await(ctx, c.group, id, func(st groups.Standing) bool { return st.Accepted })
		if took := time.Since(begun); err != nil || st.Accepted || st.Refused == 0 || !strings.Contains(st.Why, "within a day") || took < groups.Life {
			c.t.Errorf("after %v it is %+v, %v", took, st, err)
		}
		if !told(carol, carol, groups.Refused, "within a day") {
			list, _ := carol.Events()
			c.t.Errorf("it is told %+v", list)
		}
	})
}
