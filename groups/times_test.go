package groups_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// dated is the page with the time on its head moved, signed anew by the hub.
func dated(t testing.TB, hub *groupstest.Node, page *wire.Records, by time.Duration) *wire.Records {
	t.Helper()
	h, err := wire.ParseHead(protocols.Main, page.Head)
	if err != nil {
		t.Fatal(err)
	}
	moved := wire.Head{Group: h.Group, Term: h.Term, Seq: h.Seq, Log: h.Log, Time: h.Time + wire.Millis(by.Milliseconds())}
	f := *page
	f.Head = moved.Sign(hub.Signer)
	return f.FanOut()
}

// told says that a node was told so of another.
func told(n, of *groupstest.Node, what groups.What, detail string) bool {
	list, _ := n.Events()
	return slices.ContainsFunc(list, func(e groups.Event) bool {
		return e.What == what && e.Peer == of.Key && strings.Contains(e.Detail, detail)
	})
}

// A hub dates its heads otherwise than it may. Its members are told that it does, and
// what it brings is taken all the same: nothing follows from a head's time.
func TestAHubThatMistimesIsNamed(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]struct {
		by     time.Duration
		detail string
	}{
		"ahead":      {6 * time.Minute, "6m0s ahead"},
		"back":       {-6 * time.Minute, "it took a record whose time it has not come to: by 6m0s"},
		"days ahead": {72 * time.Hour, "72h0m0s ahead"},
		"days back":  {-72 * time.Hour, "it took a record whose time it has not come to: by 72h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settled(t, func(c *crowd, hub *groupstest.Node) {
				victim := c.nodes[3]
				line := c.listen(hub, victim)
				line.deaf = true
				for range 3 {
					c.write(c.nodes[1], "as ever", 2)
					virtual.Pass(100 * time.Millisecond)
					line.mu.Lock()
					page := line.lost
					line.mu.Unlock()
					c.must(c.town.Inject(hub, victim, false, wire.AppendFrame(nil, dated(t, hub, page, lie.by))))
					virtual.Pass(10 * time.Second)
				}
				if !told(victim, hub, groups.Forged, lie.detail) {
					list, _ := victim.Events()
					c.t.Errorf("it is told %+v", list)
				}
				c.same(c.nodes)
			})
		})
	}
}

// A hub takes a record that its author dated ahead, so that it is past later than it
// should be. All see that by the hub's own time, and whether others have theirs or not.
func TestAHubThatTakesWhatIsAheadIsNamed(t *testing.T) {
	t.Parallel()
	for _, members := range []int{2, 4} {
		inTown(t, members, func(c *crowd) {
			hub, victim := c.nodes[0], c.nodes[members-1]
			line := c.listen(hub, victim)
			c.write(c.nodes[1], "the last that is as it should be", members-1)
			virtual.Pass(5 * time.Second)
			early := wire.Record{
				Group: c.group, ID: wire.RecordID{9}, Kind: wire.KindRename, Time: wire.Millis(time.Now().Add(time.Hour).UnixMilli()),
				Payload: (&wire.Rename{Name: "for a year"}).Append(nil),
			}
			r, err := wire.ParseRecord(wire.SignRecords(hub.Signer, []wire.Record{early})[0])
			c.must(err)
			c.must(c.town.Inject(hub, victim, false, wire.AppendFrame(nil, line.fork(c.t, hub, r))))
			virtual.Pass(time.Second)
			if !told(victim, hub, groups.Forged, "has not come to") {
				list, _ := victim.Events()
				c.t.Errorf("of %d members one is told %+v", members, list)
			}
		})
	}
}

// apart are four, of whom one has another clock, who talk for a minute.
func apart(t *testing.T, who int, ahead time.Duration, f func(c *crowd, wrong *groupstest.Node)) {
	t.Helper()
	settled(t, func(c *crowd, _ *groupstest.Node) {
		wrong := c.nodes[who]
		wrong.Stop()
		wrong.Ahead = ahead
		c.must(wrong.Start())
		virtual.Pass(20 * time.Second)
		for range 6 {
			c.write(c.nodes[1], "as ever", 3)
			virtual.Pass(10 * time.Second)
		}
		f(c, wrong)
		c.same(c.nodes)
	})
}

// Whose clock is wrong names nobody for it: it is told that the clocks differ, and
// hears all that is said. Nobody else is told anything.
func TestAMemberWithAWrongClockNamesNobody(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{10 * time.Minute, -10 * time.Minute} {
		apart(t, 3, ahead, func(c *crowd, wrong *groupstest.Node) {
			hub := c.nodes[0]
			if !told(wrong, hub, groups.Clocks, "10m0s") || told(wrong, hub, groups.Forged, "") {
				list, _ := wrong.Events()
				c.t.Errorf("it is told %+v", list)
			}
			for _, n := range c.nodes[:3] {
				if told(n, hub, groups.Forged, "") || told(n, hub, groups.Clocks, "") || told(n, wrong, groups.Forged, "") {
					list, _ := n.Events()
					c.t.Errorf("%s is told %+v", n.Name, list)
				}
			}
		})
	}
}

// Clocks are never quite the same.
func TestAHubWhoseClockIsOffByAMinuteIsNotNamed(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{time.Minute, -time.Minute} {
		apart(t, 0, ahead, func(c *crowd, _ *groupstest.Node) {
			for _, n := range c.nodes {
				for _, o := range c.nodes {
					if told(n, o, groups.Forged, "") || told(n, o, groups.Clocks, "") {
						list, _ := n.Events()
						c.t.Errorf("%s is told %+v", n.Name, list)
					}
				}
			}
		})
	}
}
