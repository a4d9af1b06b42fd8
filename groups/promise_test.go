package groups_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/message"
)

// apart cuts two of six off, the founder among them, lets all write, and has the
// founder make a link there. Then the sides meet, and the log that the link speaks of
// is no more.
func (c *crowd) apart() (link *wire.Invitation) {
	c.t.Helper()
	side := map[protocols.Key]bool{c.nodes[0].Key: true, c.nodes[1].Key: true}
	for i, n := range c.nodes {
		c.write(n, fmt.Sprint("before ", i), 5)
	}
	virtual.Pass(5 * time.Second)
	c.town.Cut(func(a, b protocols.Key) bool { return side[a] != side[b] })
	virtual.Pass(20 * time.Second)
	for i, n := range c.nodes {
		c.write(n, fmt.Sprint("apart ", i), 1)
	}
	link, err := c.nodes[0].Invite(c.t.Context(), c.group, protocols.Key{}, 5, groups.Life)
	c.must(err)
	c.town.Cut(func(a, b protocols.Key) bool { return false })
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	_, err = c.nodes[0].Told(ctx, func(e groups.Event) bool { return e.What == groups.Shifted })
	c.must(err)
	return link
}

// Who joins by a link that speaks of a log that is no more, because two sides have
// met since, comes in as by any other, and accuses nobody.
func TestALinkFromBeforeAMergeStillLeadsIn(t *testing.T) {
	t.Parallel()
	inTown(t, 6, func(c *crowd) {
		link := c.apart()
		late := c.settle("late")
		begun := time.Now()
		_, err := late.Join(c.t.Context(), link)
		c.must(err)
		if took := time.Since(begun); took > 3*time.Second {
			c.t.Errorf("it takes %v", took)
		}
		c.nodes = append(c.nodes, late)
		c.write(late, "in", 6)
		c.write(c.nodes[3], "welcome", 6)
		c.same(c.nodes)
		virtual.Pass(time.Minute)
		list, _ := late.Events()
		for _, e := range list {
			if e.What == groups.Forged {
				c.t.Errorf("it was told %+v", e)
			}
		}
	})
}

// Whoever invited does not answer at once: who joins is told what holds it up, and
// goes on by itself when it does, over a restart too.
func TestALinkFromBeforeAMergeWaitsForWhoeverMadeIt(t *testing.T) {
	t.Parallel()
	inTown(t, 6, func(c *crowd) {
		link := c.apart()
		late := c.settle("late")
		forged := c.forgedPromise(c.nodes[1], late)
		c.nodes[0].Posting = 30 * time.Second
		if _, err := late.Join(c.t.Context(), link); !errors.Is(err, groups.ErrHistory) {
			c.t.Errorf("it takes a log that nobody promised: %v", err)
		}
		c.must(late.Own(c.nodes[1].Key, message.TypeGroupInvite, forged))
		virtual.Pass(10 * time.Second)
		if i := c.show(late); len(i.Members) == 7 {
			c.t.Error("it takes the word of another")
		}
		late.Stop()
		c.must(late.Start())
		virtual.Until(c.t, time.Minute, time.Second, "it has the log", func() bool {
			i, err := late.Show(c.t.Context(), c.group)
			return err == nil && len(i.Members) == 7
		})
		c.nodes = append(c.nodes, late)
		c.write(late, "in", 6)
		c.same(c.nodes)
	})
}

// forgedPromise is what a member, which nobody asked, says of the log, as whoever
// invited would.
func (c *crowd) forgedPromise(evil, late *groupstest.Node) []byte {
	c.t.Helper()
	other := c.settle("other")
	x, err := c.nodes[0].Invite(c.t.Context(), c.group, other.Key, 1, groups.Life)
	c.must(err)
	i, _, err := wire.ParseInvite(protocols.Main, x.Invite)
	c.must(err)
	forged := *i
	forged.For = late.Key
	x.Invite = forged.Sign(evil.Signer)
	return x.Append(nil)
}
