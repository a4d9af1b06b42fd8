package groups_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
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
		c.town.Drop(func(_, to protocols.Key, onHub bool, frame []byte) bool {
			p, publishes := frameOf[*wire.Publish](onHub, frame)
			return publishes && to == hub.Key && slices.ContainsFunc(p.Records, func(b []byte) bool {
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
		p, publishes := frameOf[*wire.Publish](hub, frame)
		if !publishes {
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

// hubRecord is the record that all follow, as it is shown to one who comes in.
func (c *crowd) hubRecord() *wire.HubRecord {
	c.t.Helper()
	var mu sync.Mutex
	var newest []byte
	c.town.Drop(func(_, _ protocols.Key, hub bool, frame []byte) bool {
		if r, ok := frameOf[*wire.HubRecordFrame](hub, frame); ok {
			mu.Lock()
			defer mu.Unlock()
			newest = r.Record
		}
		return false
	})
	c.write(c.join("late"), "hello", len(c.nodes)-1)
	mu.Lock()
	defer mu.Unlock()
	r, err := wire.ParseHubRecord(protocols.Main, newest)
	c.must(err)
	return r
}

// shown is a hub record as it travels, signed, with what it links to.
func shown(h wire.HubRecord, by *groupstest.Node, linked ...[]byte) *wire.HubRecordFrame {
	if h.Cause == wire.CauseAdmin {
		h.Primary, h.Admin = by.Key, by.Key
		return &wire.HubRecordFrame{Record: h.Sign(by.Signer, h.SignAdmin(by.Signer)), Linked: linked}
	}
	return &wire.HubRecordFrame{Record: h.Sign(by.Signer, nil), Linked: linked}
}

// claims are ways to make oneself, or another, hub without need or right.
var claims = map[string]func(by, of *groupstest.Node, cur *wire.HubRecord) wire.Frame{
	"as shadow of a hub that is well": func(by, _ *groupstest.Node, cur *wire.HubRecord) wire.Frame {
		return shown(next(cur, wire.CausePromotion), by, cur.Bytes())
	},
	"on its own report": func(by, _ *groupstest.Node, cur *wire.HubRecord) wire.Frame {
		f := shown(next(cur, wire.CauseElection), by, cur.Bytes())
		r := wire.Report{Group: cur.Group, Opened: cur.Term().Opened, Time: wire.Millis(time.Now().UnixMilli())}.Sign(by.Signer)
		f.Evidence = []wire.Evidence{{Tag: protocols.TagGroupReport, Structure: r}}
		return f
	},
	"with a number far ahead": func(by, _ *groupstest.Node, cur *wire.HubRecord) wire.Frame {
		link := next(cur, wire.CausePromotion)
		link.Number = 1 << 40
		before, err := wire.ParseHubRecord(protocols.Main, link.Sign(by.Signer, nil))
		if err != nil {
			panic(err)
		}
		return shown(next(before, wire.CausePromotion), by, before.Bytes())
	},
	"as an admin that it is not": func(by, _ *groupstest.Node, cur *wire.HubRecord) wire.Frame {
		return shown(next(cur, wire.CauseAdmin), by, cur.Bytes())
	},
	"for another, as an admin that it is not": func(by, of *groupstest.Node, cur *wire.HubRecord) wire.Frame {
		h := next(cur, wire.CauseAdmin)
		h.Primary = of.Key
		return &wire.Named{Draft: h.Draft(by.Signer)}
	},
	"by merging what is its own": func(by, _ *groupstest.Node, cur *wire.HubRecord) wire.Frame {
		mine, err := wire.ParseHubRecord(protocols.Main, next(cur, wire.CausePromotion).Sign(by.Signer, nil))
		if err != nil {
			panic(err)
		}
		h := next(mine, wire.CauseMerge)
		h.Links = append(h.Links, cur.Hash())
		return shown(h, by, mine.Bytes(), cur.Bytes())
	},
}

// names waits until a node is told of what another did, in one of these words.
func (c *crowd) names(n, who *groupstest.Node, words ...groups.What) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	if _, err := n.Told(ctx, func(e groups.Event) bool { return e.Peer == who.Key && slices.Contains(words, e.What) }); err != nil {
		c.t.Errorf("%s did not name it: %v", n.Name, words)
	}
}

// next is a record of the next term, that continues another.
func next(cur *wire.HubRecord, why wire.Cause) wire.HubRecord {
	return wire.HubRecord{
		Group: cur.Group, Number: cur.Number + 1, Version: 1, Links: []wire.HubHash{cur.Hash()}, Cause: why, Seq: cur.Seq, Log: cur.Log,
	}
}

// A member claims the hub at will: all are told who did, and nobody follows.
func TestAMemberThatClaimsAHubThatIsWellIsNamed(t *testing.T) {
	t.Parallel()
	for name, claim := range claims {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settled(t, func(c *crowd, hub *groupstest.Node) {
				evil, cur := c.nodes[3], c.hubRecord()
				before := c.show(hub)
				for _, n := range c.nodes {
					if n != evil {
						c.must(c.town.Inject(evil, n, true, wire.AppendFrame(nil, claim(evil, n, cur))))
					}
				}
				for _, n := range c.nodes {
					if n != evil {
						c.names(n, evil, groups.Disbelieved, groups.Forged)
					}
				}
				virtual.Pass(30 * time.Second)
				c.unmoved(before)
			})
		})
	}
}

// A member speaks in the name of another, to the hub and to all others. The hub names
// it, and it has no effect: the other's message stays as far as it was, and its log
// says nothing that it did not.
func TestAMemberThatSpeaksAsAnotherIsNamed(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(c *crowd, victim *groupstest.Node, hub groups.Info) wire.Frame{
		"its record": func(c *crowd, victim *groupstest.Node, _ groups.Info) wire.Frame {
			r := c.signed(c.nodes[3], wire.KindRename, (&wire.Rename{Name: "mine"}).Append(nil))
			forged := *r
			forged.Author = victim.Key
			entry := (&wire.Entry{Record: &forged}).Append(nil)
			return &wire.Publish{Group: c.group, Records: [][]byte{entry[1 : len(entry)-1]}}
		},
		"its receipt": func(c *crowd, victim *groupstest.Node, hub groups.Info) wire.Frame {
			r := wire.Receipt{Group: c.group, Last: wire.Place{Number: hub.Number, Primary: hub.Hub, Seq: hub.Seq + 1}, Read: hub.Seq + 1, Waiting: []wire.Seq{}}
			return wire.OwnReceipts(c.group, r.Sign(victim.Signer))
		},
		"its receipt, where the log goes": func(c *crowd, victim *groupstest.Node, hub groups.Info) wire.Frame {
			r := wire.Receipt{Group: c.group, Last: wire.Place{Number: hub.Number, Primary: hub.Hub, Seq: hub.Seq}, Waiting: []wire.Seq{}}
			return &wire.Replicated{Group: c.group, Number: hub.Number, Receipt: r.Sign(victim.Signer)}
		},
		"its attach": func(c *crowd, victim *groupstest.Node, _ groups.Info) wire.Frame {
			a := wire.Attach{Group: c.group, Time: wire.Millis(time.Now().UnixMilli())}.Sign(victim.Signer)
			a[len(a)-1] ^= 1
			return &wire.AttachFrame{Attach: a}
		},
		"its beat": func(c *crowd, victim *groupstest.Node, hub groups.Info) wire.Frame {
			b := wire.Beat{Group: c.group, Term: wire.Term{Number: hub.Number}, Version: 1, Counter: 1 << 40, Seq: 1 << 40}.Sign(victim.Signer)
			b[len(b)-1] ^= 1
			return &wire.BeatFrame{Beat: b}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settled(t, func(c *crowd, hub *groupstest.Node) {
				before := c.show(hub)
				evil, victim := c.nodes[3], c.nodes[1]
				f := forge(c, victim, before)
				for _, n := range c.nodes[:3] {
					c.must(c.town.Inject(evil, n, wire.OnHub(f), wire.AppendFrame(nil, f)))
				}
				c.names(hub, evil, groups.Forged)
				virtual.Pass(10 * time.Second)
				c.unmoved(before)
			})
		})
	}
}

// joinBy is the join of a node by an invitation, with the key of a link.
func (c *crowd) joinBy(n *groupstest.Node, by *wire.Invitation) wire.Frame {
	p := wire.Join{Invite: by.Invite, Name: n.Name}
	if by.Seed != nil {
		bearer := protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(by.Seed))
		p.Signature = wire.SignJoin(bearer, c.group, n.Key)
	}
	return &wire.Publish{Group: c.group, Records: [][]byte{c.record(n, wire.KindJoin, p.Append(nil))}}
}

// invited is an invitation of the founder's.
func (c *crowd) invited(to protocols.Key, uses uint64, life time.Duration) *wire.Invitation {
	c.t.Helper()
	i, err := c.nodes[0].Invite(c.t.Context(), c.group, to, uses, life)
	c.must(err)
	return i
}

// intrusions are what a stranger brings to come in, to take somebody out, or to have
// another hub.
var intrusions = map[string]func(c *crowd, evil *groupstest.Node) []wire.Frame{
	"joins as if the group were open": func(c *crowd, evil *groupstest.Node) []wire.Frame {
		return []wire.Frame{c.joinBy(evil, &wire.Invitation{})}
	},
	"joins by a link that is used up": func(c *crowd, evil *groupstest.Node) []wire.Frame {
		c.link = c.invited(protocols.Key{}, 1, groups.Life)
		c.write(c.join("late"), "hello", 4)
		return []wire.Frame{c.joinBy(evil, c.link)}
	},
	"joins by a link that has ended": func(c *crowd, evil *groupstest.Node) []wire.Frame {
		link := c.invited(protocols.Key{}, 9, time.Minute)
		virtual.Pass(2 * time.Minute)
		return []wire.Frame{c.joinBy(evil, link)}
	},
	"joins by a link without its key": func(c *crowd, evil *groupstest.Node) []wire.Frame {
		link := *c.link
		link.Seed = bytes.Repeat([]byte{7}, ed25519.SeedSize)
		return []wire.Frame{c.joinBy(evil, &link)}
	},
	"joins by an invitation for another": func(c *crowd, evil *groupstest.Node) []wire.Frame {
		return []wire.Frame{c.joinBy(evil, c.invited(c.settle("friend").Key, 1, groups.Life))}
	},
	"joins by an invitation of its own": func(c *crowd, evil *groupstest.Node) []wire.Frame {
		i, _, err := wire.ParseInvite(protocols.Main, c.invited(c.settle("friend").Key, 1, groups.Life).Invite)
		c.must(err)
		i.For = evil.Key
		return []wire.Frame{c.joinBy(evil, &wire.Invitation{Invite: i.Sign(evil.Signer)})}
	},
	"brings the join of another again": func(c *crowd, evil *groupstest.Node) []wire.Frame {
		said := c.records()
		c.write(c.join("late"), "hello", 4)
		return []wire.Frame{&wire.Publish{Group: c.group, Records: [][]byte{said(wire.KindJoin).Bytes()}}}
	},
	"kicks a member": func(c *crowd, evil *groupstest.Node) []wire.Frame {
		var names wire.RecordID
		for _, l := range c.log(c.nodes[0]) {
			if l.Kind == wire.KindJoin && l.Author == c.nodes[1].Key {
				names = l.ID
			}
		}
		kick := (&wire.Target{Kind: wire.KindKick, Member: c.nodes[1].Key, Names: names}).Append(nil)
		return []wire.Frame{&wire.Publish{Group: c.group, Records: [][]byte{c.record(evil, wire.KindKick, kick)}}}
	},
	"names another hub": func(c *crowd, evil *groupstest.Node) (frames []wire.Frame) {
		cur := c.hubRecord()
		for _, claim := range claims {
			frames = append(frames, claim(evil, c.nodes[1], cur))
		}
		return frames
	},
	"says old hub records again": func(c *crowd, evil *groupstest.Node) (frames []wire.Frame) {
		old := c.hubRecord()
		for _, to := range []*groupstest.Node{c.nodes[1], c.nodes[0]} {
			c.must(c.nodes[0].Move(c.t.Context(), c.group, to.Key))
			c.shows(func(i groups.Info) bool { return i.Hub == to.Key })
			virtual.Pass(5 * time.Second)
		}
		f := wire.HubRecordFrame{Record: old.Bytes(), Linked: [][]byte{}}
		return []wire.Frame{&f, &wire.Meet{HubRecordFrame: f}, &wire.Yield{HubRecordFrame: f}}
	},
}

// A stranger gets nowhere, whatever it tries, and the hub names it.
func TestAStrangerIsNamedWhateverItTries(t *testing.T) {
	t.Parallel()
	for name, what := range intrusions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settled(t, func(c *crowd, hub *groupstest.Node) {
				evil := c.settle("evil")
				frames := what(c, evil)
				before := c.show(hub)
				for _, f := range frames {
					for _, n := range c.nodes {
						c.must(c.town.Inject(evil, n, wire.OnHub(f), wire.AppendFrame(nil, f)))
					}
				}
				c.names(hub, evil, groups.TurnedAway, groups.Forged, groups.Disbelieved)
				virtual.Pass(30 * time.Second)
				c.unmoved(before)
			})
		})
	}
}
