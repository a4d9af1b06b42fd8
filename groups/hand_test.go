package groups_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// says lets a node write, and returns how long that took when it is done.
func (c *crowd) says(n *groupstest.Node, text string) <-chan time.Duration {
	begun, took := time.Now(), make(chan time.Duration, 1)
	go func() {
		_, err := n.Send(c.t.Context(), c.group, "text/plain", []byte(text))
		if took <- time.Since(begun); err != nil && c.t.Context().Err() == nil {
			c.t.Error(err)
		}
	}()
	return took
}

// connect lets all talk with all.
func (c *crowd) connect() { c.town.Cut(func(_, _ protocols.Key) bool { return false }) }

// plain are the members that are neither hub nor to be hub next.
func (c *crowd) plain() (list []*groupstest.Node) {
	i := c.show(c.nodes[0])
	for _, n := range c.nodes {
		if n.Key != i.Hub && n.Key != i.Shadow && n.Key != i.Candidate {
			list = append(list, n)
		}
	}
	return list
}

// Members that get a key from the hub, and show so, one after another are waited for
// though the last of them does so late: the post is no quicker than a slow hub.
func TestASlowHubIsWaitedForWhileKeysCome(t *testing.T) {
	t.Parallel()
	starred(t, 8, func(c *crowd, hub *groupstest.Node) {
		author, delay := c.nodes[1], time.Duration(0)
		c.town.Drop(func(_, to protocols.Key, hubs bool, frame []byte) bool {
			if !passes(hubs, frame) {
				return false
			}
			delay += 2 * time.Second
			i := slices.IndexFunc(c.nodes, func(n *groupstest.Node) bool { return n.Key == to })
			frame = bytes.Clone(frame)
			time.AfterFunc(delay, func() { c.must(c.town.Inject(hub, c.nodes[i], false, frame)) })
			return true
		})
		<-c.says(author, "hello")
		for _, n := range c.nodes[2:] {
			c.readBy(n, 20*time.Second, "hello")
		}
		virtual.Pass(10 * time.Second)
		if n := c.posted(); n != 0 || delay != 12*time.Second {
			c.t.Errorf("%d keys went by post; the last came after %v", n, delay)
		}
	})
}

// But one who shows nothing is posted its key when nothing more comes of the others,
// and has not to wait for those who show all that they have it at once.
func TestWhoHasCrashedIsPostedItsKeyInTime(t *testing.T) {
	t.Parallel()
	starred(t, 50, func(c *crowd, hub *groupstest.Node) {
		virtual.Pass(5 * time.Second)
		author, crashed := c.plain()[0], c.plain()[1]
		c.town.Drop(func(from, to protocols.Key, _ bool, _ []byte) bool { return from == crashed.Key || to == crashed.Key })
		<-c.says(author, "hello")
		virtual.Pass(2900 * time.Millisecond)
		if n := c.posted(); n != 0 {
			c.t.Errorf("%d keys went by post at once", n)
		}
		virtual.Pass(300 * time.Millisecond)
		if author.Posted(crashed.Key) != 1 || c.posted() != 1 {
			c.t.Errorf("posted %d to the one that has crashed, %d in all", author.Posted(crashed.Key), c.posted())
		}
	})
}

// When the others of many show at last that they have it, the one who does not is waited
// for no longer than where there are few.
func TestWhoHasCrashedIsNotWaitedForAsManyAre(t *testing.T) {
	t.Parallel()
	starred(t, 80, func(c *crowd, hub *groupstest.Node) {
		virtual.Pass(5 * time.Second)
		author, crashed := c.plain()[0], c.plain()[1]
		by := make(map[protocols.Key]*groupstest.Node)
		for _, n := range c.nodes {
			by[n.Key] = n
		}
		c.town.Drop(func(from, to protocols.Key, hubs bool, frame []byte) bool {
			f, err := wire.ParseGroupFrame(protocols.Main, frame)
			keys, ok := f.(*wire.Keys)
			if passed := err == nil && !hubs && ok && keys.Passed(); passed && to != crashed.Key {
				frame = bytes.Clone(frame)
				time.AfterFunc(3500*time.Millisecond, func() { c.must(c.town.Inject(hub, by[to], false, frame)) })
				return true
			}
			return from == crashed.Key || to == crashed.Key
		})
		<-c.says(author, "hello")
		virtual.Pass(6 * time.Second)
		if n := c.posted(); n != 0 {
			c.t.Errorf("%d keys went by post at once", n)
		}
		virtual.Pass(time.Second)
		if author.Posted(crashed.Key) != 1 || c.posted() != 1 {
			c.t.Errorf("posted %d to the one that has crashed, %d in all", author.Posted(crashed.Key), c.posted())
		}
	})
}

// Members may show that they have the key before its author is told where the message
// stands that they have opened.
func TestReceiptsMayComeBeforeTheMessageStands(t *testing.T) {
	t.Parallel()
	starred(t, 6, func(c *crowd, hub *groupstest.Node) {
		virtual.Pass(5 * time.Second)
		author := c.plain()[0]
		c.town.Drop(func(_, to protocols.Key, hubs bool, frame []byte) bool {
			if _, page := frameOf[*wire.Records](hubs, frame); hubs || !page || to != author.Key {
				return false
			}
			frame = bytes.Clone(frame)
			time.AfterFunc(time.Second, func() { c.must(c.town.Inject(hub, author, false, frame)) })
			return true
		})
		<-c.says(author, "hello")
		virtual.Pass(10 * time.Second)
		if n := c.posted(); n != 0 {
			c.t.Errorf("%d keys went by post", n)
		}
	})
}

// When the hub ends while it tells prekeys, or passes keys on, the next one is given
// them all again: nothing is posted to those who are there, and who writes waits for no
// longer than it takes until there is a hub.
func TestTheNextHubIsGivenWhatTheLastOneHad(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		lost   func(hub bool, frame []byte) bool
		frozen bool // its lines stay
		posted int  // to that hub: it shows only by a message that it has the key
	}{
		"crashes when it was asked for prekeys": {tells, false, 1},
		"freezes when it was asked for prekeys": {tells, true, 1},
		"crashes when it was given keys":        {passes, false, 0},
		"freezes when it was given keys":        {passes, true, 0},
	} {
		t.Run(what, func(t *testing.T) {
			if n := endsWithKeys(t, c.lost, c.frozen); n != c.posted {
				t.Errorf("the last hub was posted %d keys", n)
			}
		})
	}
}

// endsWithKeys has the hub end while some frames of it are lost, and returns how many
// keys it was posted.
func endsWithKeys(t *testing.T, lost func(hub bool, frame []byte) bool, frozen bool) (posted int) {
	t.Parallel()
	starred(t, 7, func(c *crowd, hub *groupstest.Node) {
		virtual.Pass(5 * time.Second) // there are shadow and candidate
		author := c.nodes[6]
		c.town.Drop(func(from, _ protocols.Key, hubs bool, frame []byte) bool {
			return from == hub.Key && lost(hubs, frame)
		})
		took := c.says(author, "hello")
		virtual.Pass(200 * time.Millisecond)
		if frozen {
			c.town.Drop(func(from, to protocols.Key, _ bool, _ []byte) bool { return from == hub.Key || to == hub.Key })
		} else {
			hub.Crash()
		}
		c.nodes = c.nodes[1:]
		c.connect()
		for _, n := range c.nodes[:5] {
			c.readBy(n, 6*time.Second, "hello")
		}
		if n := c.posted(); n != 0 {
			c.t.Errorf("%d keys went by post", n)
		}
		if d := <-took; d > 5*time.Second {
			c.t.Errorf("written after %v", d)
		}
		virtual.Pass(10 * time.Second)
		posted = author.Posted(hub.Key)
	})
	return posted
}

// Who is not connected to the new hub yet is not away: it is given the key by that hub a
// moment later, and what is written waits for neither.
func TestWhoFindsTheNewHubLateIsPostedNothing(t *testing.T) {
	t.Parallel()
	starred(t, 6, func(c *crowd, hub *groupstest.Node) {
		virtual.Pass(5 * time.Second)
		next, author, late := c.plain()[0], c.plain()[1], c.plain()[2]
		c.connect()
		c.must(hub.Move(c.t.Context(), c.group, next.Key))
		virtual.Pass(time.Second)
		lost := 0
		c.town.Drop(func(_, to protocols.Key, hubs bool, frame []byte) bool {
			if !passes(hubs, frame) || to != late.Key || lost > 0 {
				return false
			}
			lost++
			away := &wire.Prekeys{Group: c.group, Of: []wire.PrekeysOf{{Member: late.Key}}}
			time.AfterFunc(time.Millisecond, func() { c.must(c.town.Inject(next, author, false, wire.AppendFrame(nil, away))) })
			return true
		})
		if d := <-c.says(author, "hello"); d > 100*time.Millisecond {
			c.t.Errorf("written after %v", d)
		}
		c.readBy(late, 2*time.Second, "hello")
		if n := c.posted(); n != 0 || lost != 1 {
			c.t.Errorf("%d keys went by post, %d were lost", n, lost)
		}
	})
}

// A hub that is there and tells no prekeys is not waited for as one that may be gone.
func TestAHubThatTellsNoPrekeysIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	starred(t, 5, func(c *crowd, _ *groupstest.Node) {
		author := c.nodes[1]
		c.tellsNo(author)
		if d := <-c.says(author, "hello"); d < 3*time.Second || d > 5500*time.Millisecond {
			c.t.Errorf("written after %v", d)
		}
		if n := c.posted(); n != 3 { // of the hub it knows them
			c.t.Errorf("%d keys went by post", n)
		}
	})
}

// Where there is no hub, and none comes, keys are posted: who is back later finds them.
func TestWithoutAHubKeysArePosted(t *testing.T) {
	t.Parallel()
	starred(t, 5, func(c *crowd, hub *groupstest.Node) {
		virtual.Pass(5 * time.Second)
		author := c.plain()[0]
		c.town.Cut(func(a, b protocols.Key) bool { return a == author.Key || b == author.Key })
		if d := <-c.says(author, "hello"); d < 4*time.Second || d > 6*time.Second {
			c.t.Errorf("written after %v", d)
		}
		if author.Posted(hub.Key) != 1 || c.posted() != 4 {
			c.t.Errorf("%d keys went by post", c.posted())
		}
	})
}

// What a chain has sealed can be read by all though a new one is begun before it is known
// that the hub has lost it, and though its author crashes then.
func TestAChainThatWasLostIsGivenWhenThereIsANewOne(t *testing.T) {
	t.Parallel()
	for what, crashes := range map[string]bool{"lost": false, "lost, and its author crashes": true} {
		t.Run(what, func(t *testing.T) { losesAChain(t, crashes) })
	}
}

func losesAChain(t *testing.T, crashes bool) {
	t.Parallel()
	starred(t, 5, func(c *crowd, _ *groupstest.Node) {
		virtual.Pass(5 * time.Second)
		author, leaver := c.plain()[0], c.plain()[1]
		c.withheld()
		<-c.says(author, "one")
		virtual.Pass(100 * time.Millisecond) // it stands in the log
		_, err := leaver.Leave(c.t.Context(), c.group)
		c.must(err)
		c.becomes(author, "another has left", func(i groups.Info) bool { return len(i.Members) == 4 })
		<-c.says(author, "two")
		if crashes {
			author.Crash()
			c.must(author.Start())
		}
		c.connect() // the post needs lines
		c.nodes = slices.DeleteFunc(c.nodes, func(n *groupstest.Node) bool { return n == leaver })
		for _, n := range c.nodes {
			c.readBy(n, 10*time.Second, "one", "two")
		}
		if n, all := author.Posted(leaver.Key), c.posted(); n != 0 || all != 4 && !crashes {
			c.t.Errorf("posted %d keys to who has left, %d to the others", n, all)
		}
	})
}
