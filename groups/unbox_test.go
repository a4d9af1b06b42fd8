package groups_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/message"
)

// unboxed is how often a node writes its keys because a box was passed on to it.
func (c *crowd) unboxed(hub, n *groupstest.Node, box []byte) int {
	virtual.Pass(3 * time.Second)
	before := n.Disk.Saves()
	c.must(c.town.Inject(hub, n, false, wire.AppendFrame(nil, wire.PassedKeys(c.group, box))))
	virtual.Pass(3 * time.Second)
	return n.Disk.Saves() - before
}

// Out of a box comes a key of the group and nothing else, and once.
func TestOnlyANewKeyOfTheGroupComesOutOfABox(t *testing.T) {
	t.Parallel()
	starred(t, 3, func(c *crowd, hub *groupstest.Node) {
		victim := c.nodes[2]
		key := func(of wire.GroupID, chain byte) wire.SenderKey {
			return wire.SenderKey{Group: of, Chain: wire.ChainID{chain}}
		}
		again := c.box(hub, victim.Key, message.TypeSenderKey, key(c.group, 1))
		for _, x := range []struct {
			what string
			box  []byte
			want int
		}{
			{"a key", again, 1},
			{"the same", again, 0},
			{"the same, sealed anew", c.box(hub, victim.Key, message.TypeSenderKey, key(c.group, 1)), 0},
			{"a key of another group", c.box(hub, victim.Key, message.TypeSenderKey, key(wire.GroupID{1}, 2)), 0},
			{"a message that is no key", c.box(hub, victim.Key, message.TypeKeyRequest, key(c.group, 3)), 0},
			{"another key", c.box(hub, victim.Key, message.TypeSenderKey, key(c.group, 4)), 1},
		} {
			if n := c.unboxed(hub, victim, x.box); n != x.want {
				c.t.Errorf("%s: written %d times", x.what, n)
			}
		}
	})
}

// A relay reads nothing, so it takes no key, though a member seals it one.
func TestARelayTakesNoKeyOutOfABox(t *testing.T) {
	t.Parallel()
	starred(t, 3, func(c *crowd, hub *groupstest.Node) {
		relay := c.relay("relay", anyone())
		c.list(relay)
		c.becomes(hub, "the relay is there", func(groups.Info) bool { return len(c.servedBy(relay)) == 1 })
		virtual.Pass(10 * time.Second)
		if n := c.unboxed(hub, relay, c.boxOf(hub, relay.Key)); n != 0 {
			c.t.Errorf("written %d times", n)
		}
	})
}

// A member is told only so many prekeys at once.
func TestAMemberIsToldOnlySoManyPrekeys(t *testing.T) {
	t.Parallel()
	starred(t, 3, func(c *crowd, hub *groupstest.Node) {
		author, other := c.nodes[1], c.nodes[2]
		answered := answers[*wire.Prekeys](c, author)
		frame := wire.AppendFrame(nil, &wire.WantPrekeys{Group: c.group, Of: slices.Repeat([]protocols.Key{other.Key}, wire.MaxPrekeys)})
		const frames = 4*wire.MaxMembers/wire.MaxPrekeys + 4
		for range frames {
			c.must(c.town.Inject(author, hub, false, frame))
		}
		virtual.Pass(time.Second)
		told, not := 0, 0
		for _, f := range answered() {
			for _, x := range f.Of {
				if x.Record != nil {
					told++
				} else {
					not++
				}
			}
		}
		if not < 2*wire.MaxPrekeys || told < 4*wire.MaxMembers || told+not != frames*wire.MaxPrekeys {
			c.t.Errorf("%d told, %d not", told, not)
		}
	})
}

// A hub that tells prekeys one after another, each in time, is waited for; but not for
// as long as it likes.
func TestAHubThatTellsPrekeysOneByOneIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	starred(t, 25, func(c *crowd, hub *groupstest.Node) {
		author := c.nodes[1]
		c.tellsNo(author)
		sent := make(chan error, 1)
		begun := time.Now()
		go func() {
			_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte("hello"))
			sent <- err
		}()
		for _, n := range c.nodes[2:] {
			virtual.Pass(2 * time.Second)
			select {
			case err := <-sent:
				c.must(err)
				if took := time.Since(begun); took < 19*time.Second || took > 25*time.Second {
					c.t.Errorf("it is written after %v", took)
				}
				return
			default:
			}
			f := &wire.Prekeys{Group: c.group, Of: []wire.PrekeysOf{{Member: n.Key, Record: hub.Boxes().Prekeys(n.Key)}}}
			c.must(c.town.Inject(hub, author, false, wire.AppendFrame(nil, f)))
		}
		c.t.Errorf("it waits for longer than %v", time.Since(begun))
	})
}

// tellsNo has the hub tell a member no prekeys.
func (c *crowd) tellsNo(author *groupstest.Node) {
	c.town.Drop(func(_, to protocols.Key, hub bool, frame []byte) bool { return to == author.Key && tells(hub, frame) })
}

// tells says whether a frame is one in which a hub tells prekeys.
func tells(hub bool, frame []byte) bool {
	_, ok := frameOf[*wire.Prekeys](hub, frame)
	return ok
}

// Prekeys are for the hub to tell that was asked: another cannot say that there are none.
func TestNobodyElseTellsPrekeys(t *testing.T) {
	t.Parallel()
	starred(t, 4, func(c *crowd, hub *groupstest.Node) {
		evil, author := c.nodes[1], c.nodes[2]
		c.tellsNo(author)
		sent := make(chan error, 1)
		go func() {
			_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte("hello"))
			sent <- err
		}()
		virtual.Pass(time.Second)
		c.town.Cut(func(_, _ protocols.Key) bool { return false })
		none := &wire.Prekeys{Group: c.group}
		for _, n := range c.nodes {
			none.Of = append(none.Of, wire.PrekeysOf{Member: n.Key})
		}
		for _, x := range []struct {
			by   *groupstest.Node
			want int
		}{{evil, 0}, {hub, 1}} {
			c.must(c.town.Inject(x.by, author, false, wire.AppendFrame(nil, none)))
			virtual.Pass(500 * time.Millisecond)
			if len(sent) != x.want {
				c.t.Errorf("%s says that there are none: written %d times", x.by.Name, len(sent))
			}
		}
		c.must(<-sent)
	})
}

// Nor has a member anything passed on to strangers, or is told their prekeys.
func TestNothingIsPassedOnToStrangers(t *testing.T) {
	t.Parallel()
	starred(t, 3, func(c *crowd, hub *groupstest.Node) {
		author, stranger := c.nodes[1], c.settle("stranger")
		told := answers[*wire.Prekeys](c, author)
		for _, f := range []wire.Frame{
			&wire.WantPrekeys{Group: c.group, Of: []protocols.Key{stranger.Key}},
			wire.OwnKeys(c.group, c.boxOf(author, stranger.Key)),
		} {
			c.must(c.town.Inject(author, hub, false, wire.AppendFrame(nil, f)))
		}
		virtual.Pass(time.Second)
		if n := len(told()); n != 2 {
			c.t.Fatalf("told %d times", n)
		}
		for _, f := range told() {
			if len(f.Of) != 1 || f.Of[0].Record != nil {
				c.t.Errorf("told %v", f.Of)
			}
		}
	})
}

// Of many who are given a key at once none is fast: they have longer to show it, as long as
// most of them do not.
func TestALargeGroupHasLongerToShowThatItHasAKey(t *testing.T) {
	t.Parallel()
	starred(t, 134, func(c *crowd, _ *groupstest.Node) {
		c.withheld()
		author := c.nodes[1]
		_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte("hello"))
		c.must(err)
		virtual.Pass(13 * time.Second)
		if n := c.posted(); n != 0 {
			c.t.Errorf("%d keys were posted", n)
		}
		virtual.Pass(time.Second)
		if n := c.posted(); n != 132 { // of the others the hub has one
			c.t.Errorf("%d keys were posted in the end", n)
		}
	})
}

// Who asks for a key that the hub was to pass on is answered, if it was meant to have it.
func TestWhoAsksForAKeyThatTheHubLostIsAnswered(t *testing.T) {
	t.Parallel()
	starred(t, 4, func(c *crowd, _ *groupstest.Node) {
		c.withheld()
		author, other, evil := c.nodes[1], c.nodes[2], c.settle("evil")
		_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte("one"))
		c.must(err)
		virtual.Pass(500 * time.Millisecond)
		said := c.records()
		_, err = author.Send(c.t.Context(), c.group, "text/plain", []byte("two"))
		c.must(err)
		virtual.Pass(500 * time.Millisecond)
		m, err := wire.ParseMessage(said(wire.KindMessage).Payload)
		c.must(err)
		q := wire.KeyRequest{Group: c.group, Chain: m.Chain, Author: author.Key}
		for _, n := range []*groupstest.Node{other, evil} {
			c.must(author.Own(n.Key, message.TypeKeyRequest, q.Append(nil)))
		}
		virtual.Pass(500 * time.Millisecond)
		if author.Posted(other.Key) != 1 || author.Posted(evil.Key) != 0 || c.posted() != 1 {
			c.t.Errorf("posted %d to who asked, %d to a stranger, %d in all", author.Posted(other.Key), author.Posted(evil.Key), c.posted())
		}
	})
}
