package groups_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// A hub never takes the kick against itself. The admin's node takes the group away
// from it, which all are told, and the kick holds.
func TestAHubCannotWithholdItsOwnKick(t *testing.T) {
	t.Parallel()
	settled(t, func(c *crowd, founder *groupstest.Node) {
		hub := c.nodes[1]
		c.must(founder.Move(c.t.Context(), c.group, hub.Key))
		c.shows(func(i groups.Info) bool { return i.Hub == hub.Key })
		virtual.Pass(5 * time.Second)
		c.town.Drop(func(_, to protocols.Key, _ bool, frame []byte) bool {
			f, err := wire.ParseGroupFrame(protocols.Main, frame)
			p, publishes := f.(*wire.Publish)
			return err == nil && publishes && to == hub.Key && slices.ContainsFunc(p.Records, func(b []byte) bool {
				r, err := wire.ParseRecord(b)
				return err == nil && r.Kind == wire.KindKick
			})
		})
		begun := time.Now()
		_, err := founder.Kick(c.t.Context(), c.group, hub.Key)
		c.must(err)
		c.nodes = slices.Delete(c.nodes, 1, 2)
		for _, n := range c.nodes {
			_, err := n.Told(c.t.Context(), func(e groups.Event) bool {
				return e.What == groups.Displaced && e.Peer == hub.Key && e.By == founder.Key
			})
			c.must(err)
		}
		c.shows(func(i groups.Info) bool { return len(i.Members) == 3 && i.Hub != hub.Key })
		if took := time.Since(begun); took > 5*time.Second {
			c.t.Errorf("it takes %v", took)
		}
		c.write(founder, "without it", 2)
		c.same(c.nodes)
	})
}

// records keeps the newest record of each kind that anybody publishes.
func (c *crowd) records() func(wire.Kind) *wire.Record {
	var mu sync.Mutex
	newest := make(map[wire.Kind]*wire.Record)
	c.town.Drop(func(_, _ protocols.Key, hub bool, frame []byte) bool {
		f, err := wire.ParseGroupFrame(protocols.Main, frame)
		p, publishes := f.(*wire.Publish)
		if hub || err != nil || !publishes {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		for i := range p.Records {
			if e, err := p.Entry(i); err == nil {
				newest[e.Record.Kind] = e.Record
			}
		}
		return false
	})
	return func(k wire.Kind) *wire.Record {
		mu.Lock()
		defer mu.Unlock()
		if newest[k] == nil {
			c.t.Fatalf("nobody has published a %v", k)
		}
		return newest[k]
	}
}

// Days after all has gone quiet a hub brings what everybody has forgotten: the join
// of one who has left, and the kick of one who was invited back. Nobody comes, nobody
// goes, and all are told that it should have refused that.
func TestAHubThatBringsBackLastWeekIsNamed(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]wire.Kind{"a join": wire.KindJoin, "a kick": wire.KindKick} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slowly(t, func(c *crowd) {
				founder, hub := c.nodes[0], c.join("bob")
				kicked := c.join("carol")
				said := c.records()
				leaver := c.join("dave")
				old := said(wire.KindJoin)
				c.becomes(leaver, "has the log", func(i groups.Info) bool { return len(i.Members) == 4 })
				c.must(founder.Move(c.t.Context(), c.group, hub.Key))
				c.shows(func(i groups.Info) bool { return i.Hub == hub.Key })
				_, err := leaver.Leave(c.t.Context(), c.group)
				c.must(err)
				c.kicks(founder, kicked)
				_, err = kicked.Told(c.t.Context(), func(e groups.Event) bool { return e.What == groups.Removed })
				c.must(err)
				if kind == wire.KindKick {
					old = said(kind)
				}
				_, err = founder.Invite(c.t.Context(), c.group, kicked.Key, 1, groups.Life)
				c.must(err)
				c.comesBack(kicked)
				c.nodes = c.nodes[:3]
				virtual.Pass(60 * time.Hour)
				c.bringsBack(hub, old)
			})
		})
	}
}

// bringsBack lets a hub put a record into its log that nobody knows any more.
func (c *crowd) bringsBack(hub *groupstest.Node, old *wire.Record) {
	c.t.Helper()
	honest := slices.DeleteFunc(slices.Clone(c.nodes), func(n *groupstest.Node) bool { return n == hub })
	line := c.listen(hub, honest[0])
	c.write(hub, "as ever", 2)
	before := c.show(honest[0])
	for _, l := range c.log(honest[0]) {
		if l.ID == old.ID {
			c.t.Fatal("it is not forgotten")
		}
	}
	page := wire.AppendFrame(nil, line.fork(c.t, hub, old))
	for _, n := range honest {
		c.must(c.town.Inject(hub, n, false, page))
	}
	for _, n := range honest {
		_, err := n.Told(c.t.Context(), func(e groups.Event) bool {
			return e.What == groups.Forged && e.Peer == hub.Key && strings.Contains(e.Detail, "should have refused")
		})
		c.must(err)
		if i := c.show(n); i.Seq != before.Seq+1 || len(i.Members) != len(before.Members) {
			c.t.Errorf("%s is at %d with %d members, and was at %d with %d", n.Name, i.Seq, len(i.Members), before.Seq, len(before.Members))
		}
	}
	c.same(honest)
}
