package groups_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/message"
)

// starred runs f in virtual time with a group whose members are connected to the hub,
// which founded it, and not to each other.
func starred(t *testing.T, members int, f func(c *crowd, hub *groupstest.Node)) {
	t.Helper()
	starredBy(t, protocols.Main, members, f)
}

// starredBy is starred where all verify by something.
func starredBy(t *testing.T, v wire.Verifier, members int, f func(c *crowd, hub *groupstest.Node)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		town := groupstest.New()
		town.Boxed, town.Verifier = true, v
		c := newCrowdIn(t, town, members)
		defer town.Close()
		c.star()
		c.shows(func(i groups.Info) bool { return len(i.Members) == members })
		f(c, c.nodes[0])
	})
}

// star cuts all lines but those to the founder, and to who is not there.
func (c *crowd) star(away ...*groupstest.Node) {
	hub := c.nodes[0].Key
	c.town.Cut(func(a, b protocols.Key) bool {
		for _, n := range away {
			if a == n.Key || b == n.Key {
				return true
			}
		}
		return a != hub && b != hub
	})
}

// posted is how many messages went by post between members.
func (c *crowd) posted() (sum int) {
	for _, a := range c.nodes {
		for _, b := range c.nodes {
			sum += a.Posted(b.Key)
		}
	}
	return sum
}

// passes says whether a frame is one in which a hub passes keys on.
func passes(hub bool, frame []byte) bool {
	keys, ok := frameOf[*wire.Keys](hub, frame)
	return ok && keys.Passed()
}

// withheld has what the hub passes on of keys be lost, and counts it.
func (c *crowd) withheld() *atomic.Int64 {
	n := new(atomic.Int64)
	c.town.Drop(func(_, _ protocols.Key, hub bool, frame []byte) bool {
		lost := passes(hub, frame)
		if lost {
			n.Add(1)
		}
		return lost
	})
	return n
}

// readBy waits until a node can read some messages, and all others of the log.
func (c *crowd) readBy(n *groupstest.Node, within time.Duration, texts ...string) time.Duration {
	c.t.Helper()
	return virtual.Until(c.t, within, time.Second, n.Name+" reads it all", func() bool {
		var read []string
		for _, l := range c.log(n) {
			if l.Kind == wire.KindMessage && l.Mark == groups.Effective {
				read = append(read, string(l.Body))
			}
		}
		return slices.Equal(read, texts)
	})
}

// Keys go by the hub: nothing is posted, to those who are there and to those who come.
func TestKeysGoByTheHub(t *testing.T) {
	t.Parallel()
	starred(t, 5, func(c *crowd, _ *groupstest.Node) {
		for _, n := range c.nodes {
			c.write(n, "hello from "+n.Name, 4)
		}
		late := c.join("late")
		for _, n := range c.nodes {
			c.write(n, "welcome, says "+n.Name, 5)
		}
		if n := c.posted(); n != 0 {
			c.t.Errorf("%d keys went by post", n)
		}
		_, err := c.nodes[0].Kick(c.t.Context(), c.group, late.Key)
		c.must(err)
		c.shows(func(i groups.Info) bool { return len(i.Members) == 5 })
		c.write(c.nodes[1], "by another chain", 4)
		if n := c.posted(); n != 0 {
			c.t.Errorf("%d keys went by post after a kick", n)
		}
	})
}

// The prekeys of many come together, and are learnt together: so their signatures cost
// half.
func TestThePrekeysOfManyAreLearntTogether(t *testing.T) {
	t.Parallel()
	starred(t, 6, func(c *crowd, _ *groupstest.Node) {
		c.write(c.nodes[1], "hello", 5)
		if learnt := c.nodes[1].Boxes().Learnt(); !slices.Equal(learnt, []int{4}) {
			c.t.Errorf("learnt of %v", learnt)
		}
	})
}

// Who is away is posted its key at once, and nobody else is.
func TestWhoIsAwayGetsItsKeyByPost(t *testing.T) {
	t.Parallel()
	starred(t, 5, func(c *crowd, _ *groupstest.Node) {
		author, away := c.nodes[1], c.nodes[4]
		c.star(away)
		c.write(author, "one", 3)
		c.write(author, "two", 3)
		if author.Posted(away.Key) != 1 || c.posted() != 1 {
			c.t.Errorf("posted %d to the one away, %d in all", author.Posted(away.Key), c.posted())
		}
		c.town.Cut(func(_, _ protocols.Key) bool { return false }) // the post needs a way
		c.readBy(away, time.Minute, "one", "two")
	})
}

// So is one whose prekeys are known, though the hub says that it is away before the post
// to another has ended.
func TestWhoIsAwayIsPostedItsKeyWhateverIsUnderWay(t *testing.T) {
	t.Parallel()
	starred(t, 5, func(c *crowd, hub *groupstest.Node) {
		author, known, unknown := c.nodes[1], c.nodes[3], c.nodes[4]
		author.Boxes().Learn(map[protocols.Key][]byte{known.Key: hub.Boxes().Prekeys(known.Key)})
		author.Posting = 2 * time.Second
		c.star(known, unknown)
		_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte("hello"))
		c.must(err)
		virtual.Pass(time.Second) // before it is seen who has not shown that it has the key
		if author.Posted(known.Key) != 1 || author.Posted(unknown.Key) != 1 || c.posted() != 2 {
			c.t.Errorf("posted %d and %d to those away, %d in all", author.Posted(known.Key), author.Posted(unknown.Key), c.posted())
		}
	})
}

// A hub that passes no keys on delays them: they are posted then, as they were when
// they were given.
func TestAHubCannotWithholdKeys(t *testing.T) {
	t.Parallel()
	starred(t, 4, func(c *crowd, _ *groupstest.Node) {
		lost := c.withheld()
		author := c.nodes[1]
		for _, text := range []string{"one", "two", "three"} {
			_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte(text))
			c.must(err)
		}
		virtual.Pass(2500 * time.Millisecond)
		for _, n := range c.nodes[2:] {
			if lost.Load() == 0 || author.Posted(n.Key) != 0 {
				c.t.Fatalf("%d withheld, %s was posted %d keys", lost.Load(), n.Name, author.Posted(n.Key))
			}
		}
		virtual.Pass(time.Second)
		for _, n := range c.nodes[2:] {
			if author.Posted(n.Key) != 1 {
				c.t.Errorf("%s was posted %d keys", n.Name, author.Posted(n.Key))
			}
		}
		c.town.Cut(func(_, _ protocols.Key) bool { return false }) // the post needs a way
		for _, n := range c.nodes[2:] {
			c.readBy(n, 5*time.Second, "one", "two", "three")
		}
	})
}

// The next hub is given what the one before may not have passed on, as it was.
func TestTheNextHubPassesKeysOn(t *testing.T) {
	t.Parallel()
	starred(t, 4, func(c *crowd, founder *groupstest.Node) {
		c.town.Drop(func(from, _ protocols.Key, hub bool, frame []byte) bool {
			return from == founder.Key && passes(hub, frame)
		})
		author := c.nodes[1]
		for _, text := range []string{"one", "two"} {
			_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte(text))
			c.must(err)
		}
		virtual.Pass(time.Second)
		c.town.Cut(func(_, _ protocols.Key) bool { return false })
		c.must(founder.Move(c.t.Context(), c.group, c.nodes[2].Key))
		for _, n := range c.nodes[2:] {
			c.readBy(n, 5*time.Second, "one", "two")
		}
		if n := c.posted(); n != 0 {
			c.t.Errorf("%d keys went by post", n)
		}
	})
}

// An author that ends before members have shown that they have its key posts it when
// it is back, as it was.
func TestKeysThatWereHandedOverOutliveACrash(t *testing.T) {
	t.Parallel()
	starred(t, 4, func(c *crowd, _ *groupstest.Node) {
		c.withheld()
		author := c.nodes[1]
		for _, text := range []string{"one", "two"} {
			_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte(text))
			c.must(err)
		}
		virtual.Pass(time.Second)
		author.Crash()
		c.town.Cut(func(_, _ protocols.Key) bool { return false })
		c.must(author.Start())
		virtual.Pass(2 * time.Second)
		for _, n := range c.nodes[2:] {
			if author.Posted(n.Key) != 1 {
				c.t.Errorf("%s was posted %d keys", n.Name, author.Posted(n.Key))
			}
			c.readBy(n, 5*time.Second, "one", "two")
		}
	})
}

// boxOf is a sender key of a chain that nobody knows, in a box.
func (c *crowd) boxOf(author *groupstest.Node, to protocols.Key) []byte {
	return c.box(author, to, message.TypeSenderKey, wire.SenderKey{Group: c.group, Chain: wire.ChainID{1, 2, 3}})
}

// box is a key in a box.
func (c *crowd) box(author *groupstest.Node, to protocols.Key, contentType string, key wire.SenderKey) []byte {
	author.Boxes().Learn(map[protocols.Key][]byte{to: c.nodes[0].Boxes().Prekeys(to)})
	return author.Boxes().Seal([]protocols.Key{to}, contentType, key.Append(nil), time.Minute)[to]
}

// Boxes that are not what they should be end the stream they came on.
func TestForgedBoxesAreRefused(t *testing.T) {
	t.Parallel()
	starred(t, 4, func(c *crowd, hub *groupstest.Node) {
		evil, author, victim := c.nodes[1], c.nodes[2], c.nodes[3]
		good := c.boxOf(hub, victim.Key)
		broken := append([]byte(nil), good...)
		broken[len(broken)-10] ^= 1
		for name, x := range map[string]struct {
			from, to *groupstest.Node
			frame    wire.Frame
		}{
			"another's":          {evil, hub, wire.OwnKeys(c.group, c.boxOf(hub, author.Key))},
			"for another":        {hub, victim, wire.PassedKeys(c.group, c.boxOf(hub, author.Key))},
			"not signed":         {hub, victim, wire.PassedKeys(c.group, broken)},
			"no envelope":        {evil, hub, wire.OwnKeys(c.group, []byte("rubbish"))},
			"passed to a member": {evil, hub, wire.PassedKeys(c.group, c.boxOf(hub, victim.Key))},
		} {
			had := len(x.to.Misdeeds(x.from.Key))
			c.must(c.town.Inject(x.from, x.to, false, wire.AppendFrame(nil, x.frame)))
			virtual.Pass(time.Second)
			if len(x.to.Misdeeds(x.from.Key)) != had+1 {
				c.t.Errorf("%s: %v", name, x.to.Misdeeds(x.from.Key))
			}
		}
	})
}

// That members are away is for the hub to say: another cannot have keys posted.
func TestNobodyElseSaysWhoIsAway(t *testing.T) {
	t.Parallel()
	starred(t, 4, func(c *crowd, _ *groupstest.Node) {
		c.withheld()
		evil, author, other := c.nodes[1], c.nodes[2], c.nodes[3]
		_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte("hello"))
		c.must(err)
		virtual.Pass(500 * time.Millisecond)
		c.town.Cut(func(_, _ protocols.Key) bool { return false })
		away := wire.AppendFrame(nil, &wire.Prekeys{Group: c.group, Of: []wire.PrekeysOf{{Member: other.Key}}})
		c.must(c.town.Inject(evil, author, false, away))
		virtual.Pass(500 * time.Millisecond)
		if c.posted() != 0 {
			c.t.Errorf("%d keys went by post", c.posted())
		}
		c.must(c.town.Inject(c.nodes[0], author, false, away))
		virtual.Pass(500 * time.Millisecond)
		if author.Posted(other.Key) != 1 || c.posted() != 1 {
			c.t.Errorf("posted %d to the one away, %d in all", author.Posted(other.Key), c.posted())
		}
	})
}

// Strangers have nothing passed on, and are told no prekeys.
func TestNothingIsPassedOnForStrangers(t *testing.T) {
	t.Parallel()
	starred(t, 3, func(c *crowd, hub *groupstest.Node) {
		victim, evil := c.nodes[2], c.settle("evil")
		c.town.Cut(func(_, _ protocols.Key) bool { return false })
		told := answers[*wire.Prekeys](c, evil)
		c.must(c.town.Inject(evil, hub, false, wire.AppendFrame(nil, &wire.WantPrekeys{Group: c.group, Of: []protocols.Key{victim.Key}})))
		virtual.Pass(time.Second)
		passed := answers[*wire.Keys](c, victim)
		c.must(c.town.Inject(evil, hub, false, wire.AppendFrame(nil, wire.OwnKeys(c.group, c.boxOf(evil, victim.Key)))))
		virtual.Pass(time.Second)
		if len(told()) != 0 || len(passed()) != 0 {
			c.t.Errorf("a stranger was told %d times, and passed on %d", len(told()), len(passed()))
		}
	})
}

// A member has only so much passed on at once, and is told of the rest.
func TestAMemberHasOnlySoMuchPassedOn(t *testing.T) {
	t.Parallel()
	starred(t, 3, func(c *crowd, hub *groupstest.Node) {
		author, other := c.nodes[1], c.nodes[2]
		told := answers[*wire.Prekeys](c, author)
		box := c.boxOf(author, other.Key)
		frame := wire.AppendFrame(nil, wire.OwnKeys(c.group, slices.Repeat([][]byte{box}, wire.MaxBoxes)...))
		const frames = 4*wire.MaxMembers/wire.MaxBoxes + 4
		for range frames {
			c.must(c.town.Inject(author, hub, false, frame))
		}
		virtual.Pass(time.Second)
		refused := 0
		for _, f := range told() {
			refused += len(f.Of)
		}
		if refused < 3*wire.MaxBoxes || refused > 4*wire.MaxBoxes {
			c.t.Errorf("%d of %d were not passed on", refused, frames*wire.MaxBoxes)
		}
	})
}

// A key that is lost on its way to who has come in since the last message is posted
// once there is a message that it would open.
func TestAKeyThatIsLostForWhoComesLateIsPosted(t *testing.T) {
	t.Parallel()
	starred(t, 3, func(c *crowd, _ *groupstest.Node) {
		author := c.nodes[1]
		c.write(author, "before", 2)
		c.withheld()
		late := c.join("late")
		virtual.Pass(3 * time.Minute)
		if n := c.posted(); n != 0 {
			c.t.Errorf("%d posted while nothing was written", n)
		}
		_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte("after"))
		c.must(err)
		c.town.Cut(func(_, _ protocols.Key) bool { return false })
		c.readBy(late, 3*time.Minute, "after")
	})
}
