package groups_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
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

// settled is a group of four that talk, with a shadow and a candidate.
func settled(t *testing.T, f func(c *crowd, hub *groupstest.Node)) {
	t.Helper()
	inTown(t, 4, func(c *crowd) {
		c.town.Slow(func(_, _ protocols.Key) groupstest.Speed { return groupstest.Speed{Delay: 10 * time.Millisecond} })
		for _, n := range c.nodes {
			c.write(n, "hello from "+n.Name, 3)
		}
		virtual.Pass(5 * time.Second)
		f(c, c.nodes[0])
	})
}

// unmoved says that nothing has changed: the hub, its term, the log's length, the
// members. It still talks.
func (c *crowd) unmoved(of groups.Info) {
	c.t.Helper()
	for _, n := range c.nodes {
		i, err := n.Show(c.t.Context(), c.group)
		c.must(err)
		if i.Hub != of.Hub || i.Number != of.Number || i.Seq != of.Seq || len(i.Members) != len(of.Members) || i.Name != of.Name {
			c.t.Errorf("%s is at %d in term %d with hub %v and %d members of %q, and was at %d in term %d", n.Name, i.Seq, i.Number, i.Hub, len(i.Members), i.Name, of.Seq, of.Number)
		}
	}
	c.write(c.nodes[1], "as ever", 3)
	c.same(c.nodes)
}

func (c *crowd) show(n *groupstest.Node) groups.Info {
	c.t.Helper()
	i, err := n.Show(c.t.Context(), c.group)
	c.must(err)
	return i
}

// record signs a record of a node's.
func (c *crowd) record(by *groupstest.Node, kind wire.Kind, payload []byte) []byte {
	var id wire.RecordID
	rand.Read(id[:])
	return wire.SignRecords(by.Signer, []wire.Record{{
		Group: c.group, ID: id, Kind: kind, Time: wire.Millis(time.Now().UnixMilli()), Payload: payload,
	}})[0]
}

// signed is record, parsed.
func (c *crowd) signed(by *groupstest.Node, kind wire.Kind, payload []byte) *wire.Record {
	r, err := wire.ParseRecord(c.record(by, kind, payload))
	c.must(err)
	return r
}

// frameOf reads a frame on its way, if it is of one kind.
func frameOf[F wire.Frame](hub bool, frame []byte) (f F, ok bool) {
	parse := wire.ParseGroupFrame
	if hub {
		parse = wire.ParseHubFrame
	}
	any, err := parse(protocols.Main, frame)
	if err != nil {
		return f, false
	}
	f, ok = any.(F)
	return f, ok
}

// publishes says whether a frame brings records.
func publishes(hub bool, frame []byte) bool {
	_, ok := frameOf[*wire.Publish](hub, frame)
	return ok
}

// answers are the frames of a kind that come to a node.
func answers[F wire.Frame](c *crowd, to *groupstest.Node) func() []F {
	var mu sync.Mutex
	var list []F
	c.town.Drop(func(_, t protocols.Key, hub bool, frame []byte) bool {
		if x, ok := frameOf[F](hub, frame); ok && !hub && t == to.Key {
			mu.Lock()
			defer mu.Unlock()
			list = append(list, x)
		}
		return false
	})
	return func() []F {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(list)
	}
}

func publish(c *crowd, records ...[]byte) []byte {
	return wire.AppendFrame(nil, &wire.Publish{Group: c.group, Records: records})
}

// A stranger attaches, publishes, kicks, claims the hub, asks for the log, sends
// rubbish. It gets nothing, moves nothing, and what breaks a rule is told of.
func TestAStrangerMovesNothing(t *testing.T) {
	t.Parallel()
	settled(t, func(c *crowd, hub *groupstest.Node) {
		before := c.show(hub)
		evil := c.settle("evil")
		refused := answers[*wire.Refused](c, evil)
		h := wire.HubRecord{
			Group: c.group, Number: before.Number + 1, Version: 1, Links: []wire.HubHash{{1}}, Cause: wire.CausePromotion,
		}
		beat := wire.Beat{Group: c.group, Term: wire.Term{Number: 9}, Version: 1, Counter: 1 << 50, Seq: 1 << 40, Time: wire.Millis(time.Now().UnixMilli())}
		target := (&wire.Target{Kind: wire.KindKick, Member: c.nodes[1].Key, Names: wire.RecordID{1}}).Append(nil)
		for _, n := range c.nodes {
			for _, frame := range [][]byte{
				wire.AppendFrame(nil, &wire.AttachFrame{Attach: wire.Attach{Group: c.group, Time: wire.Millis(time.Now().UnixMilli())}.Sign(evil.Signer)}),
				publish(c, c.record(evil, wire.KindMessage, (&wire.Message{Ciphertext: []byte("x")}).Append(nil))),
				publish(c, c.record(evil, wire.KindKick, target)),
				publish(c, c.record(evil, wire.KindJoin, (&wire.Join{Name: "let me in"}).Append(nil))),
				publish(c, c.record(evil, wire.KindRename, (&wire.Rename{Name: "mine"}).Append(nil))),
				wire.AppendFrame(nil, &wire.Sync{N: 1, Group: c.group}),
				wire.AppendFrame(nil, wire.OwnReceipts(c.group, []byte("rubbish"))),
			} {
				c.must(c.town.Inject(evil, n, false, frame))
			}
			for _, frame := range [][]byte{
				wire.AppendFrame(nil, &wire.HubRecordFrame{Record: h.Sign(evil.Signer, nil)}),
				wire.AppendFrame(nil, &wire.BeatFrame{Beat: beat.Sign(evil.Signer)}),
				wire.AppendFrame(nil, &wire.Alive{Group: c.group, N: 1}),
				[]byte("rubbish"), nil, make([]byte, 1<<20),
			} {
				c.must(c.town.Inject(evil, n, true, frame))
			}
		}
		virtual.Pass(20 * time.Second)
		c.unmoved(before)
		if len(refused()) == 0 {
			c.t.Error("it is not told that it is refused")
		}
		if list, err := evil.List(c.t.Context()); err != nil || len(list) != 0 {
			c.t.Errorf("it is in %v, %v", list, err)
		}
		for _, what := range []groups.What{groups.Forged, groups.TurnedAway} {
			if _, err := hub.Told(c.t.Context(), func(e groups.Event) bool { return e.What == what && e.Peer == evil.Key }); err != nil {
				c.t.Error(err)
			}
		}
		for _, n := range c.nodes {
			if len(n.Misdeeds(evil.Key)) == 0 {
				c.t.Errorf("%s does not end its streams", n.Name)
			}
		}
	})
}

// A stranger sends as much as it can. The members talk on meanwhile.
func TestAFloodOfAStrangerHoldsUpNobody(t *testing.T) {
	t.Parallel()
	settled(t, func(c *crowd, hub *groupstest.Node) {
		evil := c.settle("evil")
		attach := wire.AppendFrame(nil, &wire.AttachFrame{Attach: wire.Attach{Group: c.group, Time: 1}.Sign(evil.Signer)})
		for range 4000 {
			c.must(c.town.Inject(evil, hub, false, attach))
		}
		begun := time.Now()
		c.write(c.nodes[1], "in the middle of it", 3)
		if took := time.Since(begun); took > time.Second {
			c.t.Errorf("a message takes %v", took)
		}
		if _, waits := c.town.Queued(evil, hub); waits > 0 {
			c.t.Errorf("%d bytes of it wait", waits)
		}
		if n := metric(c.t, hub, "tom_groups_frames_refused_total", "often"); n < 3900 {
			c.t.Errorf("%v frames were too many", n)
		}
	})
}

// Of whom nobody listens to, nothing is parsed that takes time: a part of a batch
// whose edges are wrong is only noticed when all its records are hashed.
func TestWhatNobodyListensToIsNotHashed(t *testing.T) {
	t.Parallel()
	settled(t, func(c *crowd, hub *groupstest.Node) {
		evil := c.settle("evil")
		forged := func(g wire.GroupID) []byte {
			list := make([]wire.Record, 3)
			for i := range list {
				list[i] = wire.Record{Group: g, ID: wire.RecordID{byte(i)}, Kind: wire.KindMessage}
			}
			frame := wire.AppendFrame(nil, &wire.Publish{Group: g, Records: wire.SignRecords(evil.Signer, list)[:2]})
			frame[1+1+18+1+1+34] = 2 // the batch's size: no edges are due then
			if _, err := wire.ParseGroupFrame(protocols.Main, frame); !errors.Is(err, wire.ErrForm) {
				c.t.Fatal(err)
			}
			return frame
		}
		inject := func(frame []byte) (misdeeds int) {
			c.must(c.town.Inject(evil, hub, false, frame))
			virtual.Pass(20 * time.Millisecond)
			return len(hub.Misdeeds(evil.Key))
		}
		if n := inject(forged(wire.GroupID{1})); n > 0 {
			c.t.Errorf("%d misdeeds in a group that the hub is not in", n)
		}
		if n := inject(forged(c.group)); n != 1 {
			c.t.Errorf("%d misdeeds of a stranger that may speak", n)
		}
		for range 40 {
			c.must(c.town.Inject(evil, hub, false, wire.AppendFrame(nil, &wire.NotHub{Group: c.group, Record: []byte("nonsense")})))
		}
		virtual.Pass(20 * time.Millisecond)
		spoke, left := len(hub.Misdeeds(evil.Key)), metric(c.t, hub, "tom_groups_frames_refused_total", "often")
		if n := inject(forged(c.group)); n != spoke {
			c.t.Error("what a stranger says too much is parsed")
		}
		if n := metric(c.t, hub, "tom_groups_frames_refused_total", "often"); n != left+1 {
			c.t.Errorf("%v frames were too many, and before one more %v", n, left)
		}
	})
}

// metric reads a counter of a node.
func metric(t testing.TB, n *groupstest.Node, name, label string) (sum float64) {
	t.Helper()
	all, err := n.Metric.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if len(m.GetLabel()) == 0 || m.GetLabel()[0].GetValue() == label {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// All that was said is said again, by those who said it and by a stranger,
// forward and backward. Nothing happens twice.
func TestReplayedFramesDoNothing(t *testing.T) {
	t.Parallel()
	settled(t, func(c *crowd, hub *groupstest.Node) {
		type said struct {
			from, to protocols.Key
			hub      bool
			frame    []byte
		}
		var mu sync.Mutex
		var all []said
		c.town.Drop(func(from, to protocols.Key, hub bool, frame []byte) bool {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, said{from, to, hub, frame})
			return false
		})
		for i := range 12 {
			c.write(c.nodes[i%4], fmt.Sprint("message ", i), 3)
		}
		c.town.Drop(func(_, _ protocols.Key, _ bool, _ []byte) bool { return false })
		virtual.Pass(5 * time.Second)
		before := c.show(hub)
		evil := c.settle("evil")
		node := func(k protocols.Key) *groupstest.Node {
			return c.nodes[slices.IndexFunc(c.nodes, func(n *groupstest.Node) bool { return n.Key == k })]
		}
		backward := slices.Clone(all)
		slices.Reverse(backward)
		for _, s := range slices.Concat(all, backward) {
			c.must(c.town.Inject(node(s.from), node(s.to), s.hub, s.frame))
		}
		virtual.Pass(10 * time.Second)
		for i, s := range all {
			c.must(c.town.Inject(evil, node(s.to), s.hub, s.frame))
			if i%20 == 0 {
				virtual.Pass(3 * time.Second) // as fast as strangers are heard
			}
		}
		virtual.Pass(10 * time.Second)
		c.unmoved(before)
		seen := make(map[wire.RecordID]bool)
		lines, err := c.nodes[2].Log(c.t.Context(), c.group, 0, 1000, 0)
		c.must(err)
		for _, l := range lines {
			if seen[l.ID] || l.Mark != groups.Effective {
				c.t.Errorf("record %d: twice %v, %v", l.Place.Seq, seen[l.ID], l.Mark)
			}
			seen[l.ID] = true
		}
	})
}

// A member writes in another's name, as one who may not, or what is cut short: the
// hub names it, and nothing comes into the log.
func TestAMemberThatForgesIsNamed(t *testing.T) {
	t.Parallel()
	settled(t, func(c *crowd, hub *groupstest.Node) {
		before := c.show(hub)
		evil, victim := c.nodes[3], c.nodes[1]
		stolen := c.record(victim, wire.KindRename, (&wire.Rename{Name: "by the victim"}).Append(nil))
		stolen[len(stolen)-1] ^= 1
		c.must(c.town.Inject(evil, hub, false, publish(c, stolen)))
		e, err := hub.Told(c.t.Context(), func(e groups.Event) bool { return e.What == groups.Forged })
		c.must(err)
		if e.Peer != evil.Key || e.Count != 1 {
			c.t.Errorf("the hub was told %+v", e)
		}
		for range 100 {
			c.must(c.town.Inject(evil, hub, false, publish(c, stolen)))
		}
		refused := answers[*wire.Refused](c, evil)
		rename := c.record(evil, wire.KindRename, (&wire.Rename{Name: "mine"}).Append(nil))
		c.must(c.town.Inject(evil, hub, false, publish(c, rename)))
		virtual.Pass(2 * time.Minute)
		if len(refused()) == 0 {
			c.t.Error("it is not told that it may not rename")
		}
		c.must(c.town.Inject(evil, hub, false, publish(c, stolen)))
		e, err = hub.Told(c.t.Context(), func(e groups.Event) bool { return e.What == groups.Forged && e.Count > 1 })
		c.must(err)
		if e.Peer != evil.Key || e.Count != 101 {
			c.t.Errorf("then it was told %+v", e)
		}
		c.unmoved(before)
	})
}

// A hub alters what it passes on, invents a record, or leaves one out: the member
// takes nothing of it, and names the hub.
func TestAHubThatAltersIsNamed(t *testing.T) {
	t.Parallel()
	for name, alter := range map[string]func(page *wire.Records){
		"a record is altered":  func(p *wire.Records) { p.Entries[0][len(p.Entries[0])-80] ^= 1 },
		"a record is invented": nil,
		"the head is altered":  func(p *wire.Records) { p.Head[len(p.Head)-1] ^= 1 },
		"a record is left out": func(p *wire.Records) { p.First++ },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settled(t, func(c *crowd, hub *groupstest.Node) {
				victim := c.nodes[3]
				line := c.listen(hub, victim)
				c.write(hub, "the last that is whole", 3)
				rec := c.signed(hub, wire.KindRename, (&wire.Rename{Name: "altered"}).Append(nil))
				if alter == nil {
					rec.Author = victim.Key
				}
				page := line.fork(c.t, hub, rec)
				if alter != nil {
					alter(page)
				}
				before := c.show(victim)
				c.must(c.town.Inject(hub, victim, false, wire.AppendFrame(nil, page)))
				virtual.Pass(time.Second)
				if after := c.show(victim); after.Seq != before.Seq || after.Name != before.Name {
					c.t.Errorf("it is at %d, %q", after.Seq, after.Name)
				}
				if name != "a record is left out" {
					_, err := victim.Told(c.t.Context(), func(e groups.Event) bool { return e.What == groups.Forged && e.Peer == hub.Key })
					c.must(err)
				}
				c.write(hub, "whole again", 3)
				c.same(c.nodes)
			})
		})
	}
}

// A hub puts a kick into its log that names nothing current, as a kick of last week
// does: nobody is taken out, and the hub is named, for it had to refuse it.
func TestAHubThatReplaysAKickIsNamed(t *testing.T) {
	t.Parallel()
	settled(t, func(c *crowd, hub *groupstest.Node) {
		victim := c.nodes[3]
		line := c.listen(hub, victim)
		c.write(hub, "the last of it", 3)
		stale := (&wire.Target{Kind: wire.KindKick, Member: c.nodes[1].Key, Names: wire.RecordID{1}}).Append(nil)
		page := line.fork(c.t, hub, c.signed(hub, wire.KindKick, stale))
		c.must(c.town.Inject(hub, victim, false, wire.AppendFrame(nil, page)))
		_, err := victim.Told(c.t.Context(), func(e groups.Event) bool {
			return e.What == groups.Forged && e.Peer == hub.Key && strings.Contains(e.Detail, "should have refused")
		})
		c.must(err)
		if i := c.show(victim); len(i.Members) != 4 || i.Seq != page.First {
			c.t.Errorf("at %d it has %d members", i.Seq, len(i.Members))
		}
	})
}

// A hub takes nothing of one author, whoever brings it. It is named, the group is
// taken away from it, and the author is heard.
func TestAHubThatWithholdsIsNamedAndDisplaced(t *testing.T) {
	t.Parallel()
	settled(t, func(c *crowd, founder *groupstest.Node) {
		hub, author := c.nodes[1], c.nodes[3]
		c.must(founder.Move(c.t.Context(), c.group, hub.Key))
		c.shows(func(i groups.Info) bool { return i.Hub == hub.Key })
		c.town.Drop(func(_, to protocols.Key, onHub bool, frame []byte) bool {
			p, publishes := frameOf[*wire.Publish](onHub, frame)
			return publishes && to == hub.Key && slices.ContainsFunc(p.Records, func(b []byte) bool {
				r, err := wire.ParseRecord(b)
				return err == nil && r.Author == author.Key
			})
		})
		c.write(author, "do you hear me", 3)
		for _, n := range []*groupstest.Node{founder, author} {
			_, err := n.Told(c.t.Context(), func(e groups.Event) bool {
				return e.What == groups.Forged && e.Peer == hub.Key && strings.Contains(e.Detail, "withholds")
			})
			c.must(err)
			_, err = n.Told(c.t.Context(), func(e groups.Event) bool { return e.What == groups.Displaced && e.Peer == hub.Key })
			c.must(err)
		}
		c.same(c.nodes)
	})
}

// A hub keeps one author's records to itself. The author turns to the shadow, and
// is heard.
func TestAHubThatWithholdsIsGoneRound(t *testing.T) {
	t.Parallel()
	settled(t, func(c *crowd, hub *groupstest.Node) {
		i := c.show(hub)
		author := c.nodes[slices.IndexFunc(c.nodes, func(n *groupstest.Node) bool { return n != hub && n.Key != i.Shadow })]
		c.town.Drop(func(from, to protocols.Key, onHub bool, frame []byte) bool {
			return from == author.Key && to == hub.Key && publishes(onHub, frame)
		})
		begun := time.Now()
		c.write(author, "do you hear me", 3)
		if took := time.Since(begun); took > 10*time.Second {
			c.t.Errorf("it takes %v", took)
		}
		c.same(c.nodes)
	})
}

// Who was kicked and knows a link from before stays out, and hears nothing.
func TestWhoWasKickedStaysOut(t *testing.T) {
	t.Parallel()
	settled(t, func(c *crowd, hub *groupstest.Node) {
		evil := c.nodes[3]
		topics := c.town.Topics()
		_, err := hub.Kick(c.t.Context(), c.group, evil.Key)
		c.must(err)
		_, err = evil.Told(c.t.Context(), func(e groups.Event) bool { return e.What == groups.Removed })
		c.must(err)
		c.nodes = c.nodes[:3]
		c.write(c.nodes[1], "among us", 2)
		virtual.Pass(10 * time.Second)
		before := c.show(hub)
		pages := answers[*wire.Records](c, evil)
		ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
		defer cancel()
		if _, err := evil.Join(ctx, c.link); !errors.Is(err, groups.ErrRefused) {
			c.t.Errorf("it joins by the link: %v", err)
		}
		for _, n := range c.nodes {
			c.must(c.town.Inject(evil, n, false, publish(c, c.record(evil, wire.KindMessage, (&wire.Message{Roster: 99, Ciphertext: []byte("x")}).Append(nil)))))
		}
		virtual.Pass(20 * time.Second)
		c.write(c.nodes[2], "still among us", 2)
		if n := len(pages()); n > 0 {
			c.t.Errorf("it is sent %d pages", n)
		}
		c.names(hub, evil, groups.TurnedAway)
		if i := c.show(hub); i.Seq != before.Seq+1 || len(i.Members) != 3 {
			c.t.Errorf("at %d with %d members", i.Seq, len(i.Members))
		}
		c.t.Logf("topics before %v, behind it %v", short(topics), short(c.town.Topics()))
	})
}

func short(list []string) (out []string) {
	for _, s := range list {
		out = append(out, strings.TrimPrefix(s, "/tom/group/")[:8])
	}
	return out
}

// The hub itself is kicked, and one member is left: it goes on alone, and can
// leave. Whether there was a shadow or not.
func TestWhoIsLeftAloneGoesOn(t *testing.T) {
	t.Parallel()
	for _, pause := range []time.Duration{0, 100 * time.Millisecond, time.Second, 10 * time.Second} {
		t.Run(fmt.Sprint("after ", pause), func(t *testing.T) {
			t.Parallel()
			inTown(t, 2, func(c *crowd) {
				alice, bob := c.nodes[0], c.nodes[1]
				c.write(bob, "hello", 1)
				virtual.Pass(5 * time.Second)
				c.must(alice.Move(c.t.Context(), c.group, bob.Key))
				_, err := alice.Told(c.t.Context(), func(e groups.Event) bool { return e.What == groups.NewHub && e.Peer == bob.Key })
				c.must(err)
				virtual.Pass(pause)
				_, err = alice.Kick(c.t.Context(), c.group, bob.Key)
				c.must(err)
				_, err = bob.Told(c.t.Context(), func(e groups.Event) bool { return e.What == groups.Removed })
				c.must(err)
				id, err := alice.Send(c.t.Context(), c.group, "text/plain", []byte("alone"))
				c.must(err)
				_, err = alice.Leave(c.t.Context(), c.group)
				c.must(err)
				end := time.Now().Add(2 * time.Minute)
				for {
					list, err := alice.List(c.t.Context())
					c.must(err)
					if len(list) == 0 {
						break
					}
					if time.Now().After(end) {
						st, err := alice.Status(c.t.Context(), c.group, id)
						c.t.Fatalf("alice is in still: %+v, its message %+v, %v", list[0], st, err)
					}
					virtual.Pass(time.Second)
				}
			})
		})
	}
}
