package groups_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
)

// Who is invited again right after a kick, before its node has let go of the
// group, finds the invitation once it has, and comes back by it.
func TestWhoWasKickedIsInvitedAtOnce(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		founder, kicked := c.nodes[0], c.nodes[2]
		c.kicks(founder, kicked)
		_, err := founder.Invite(c.t.Context(), c.group, kicked.Key, 1, groups.Life)
		c.must(err)
		c.comesBack(kicked)
	})
}

// kicks takes one of three out, and waits until the others show it.
func (c *crowd) kicks(by, who *groupstest.Node) {
	c.t.Helper()
	_, err := by.Kick(c.t.Context(), c.group, who.Key)
	c.must(err)
	c.shows(func(i groups.Info) bool { return len(i.Members) == 2 })
}

// Who was kicked and invited while away gets the invitation before it hears of the
// kick.
func TestAnInvitationComesBeforeTheKick(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		founder, kicked := c.nodes[0], c.nodes[2]
		c.write(founder, "hello", 2)
		kicked.Stop()
		c.kicks(founder, kicked)
		c.must(kicked.Start())
		_, err := founder.Invite(c.t.Context(), c.group, kicked.Key, 1, groups.Life)
		c.must(err)
		c.comesBack(kicked)
	})
}

// A group that is full says so, at once, whoever of it is asked.
func TestAFullGroupRefuses(t *testing.T) {
	t.Parallel()
	inTown(t, 3, func(c *crowd) {
		founder := c.nodes[0]
		_, err := founder.Set(c.t.Context(), c.group, func(s *wire.Settings) { s.Max = 3 })
		c.must(err)
		c.shows(func(i groups.Info) bool { return i.Settings.Max == 3 })
		c.must(founder.Move(c.t.Context(), c.group, c.nodes[1].Key))
		c.shows(func(i groups.Info) bool { return i.Hub == c.nodes[1].Key })
		late := c.settle("late")
		ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
		defer cancel()
		begun := time.Now()
		_, err = late.Join(ctx, c.link)
		if took := time.Since(begun); !errors.Is(err, groups.ErrRefused) || took > 3*time.Second {
			c.t.Errorf("after %v: %v", took, err)
		}
	})
}

// comesBack lets one who was invited again join when it is told so, once.
func (c *crowd) comesBack(n *groupstest.Node) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	_, err := n.Told(ctx, func(e groups.Event) bool { return e.What == groups.InviteCame })
	c.must(err)
	list, err := n.Invites()
	c.must(err)
	if len(list) != 1 {
		c.t.Fatalf("%d invitations are there", len(list))
	}
	_, err = n.Join(ctx, list[0].Invitation)
	c.must(err)
	c.write(n, "back", 2)
	told := 0
	events, _ := n.Events()
	for _, e := range events {
		if e.What == groups.InviteCame {
			told++
		}
	}
	if left, err := n.Invites(); told != 1 || len(left) > 0 || err != nil {
		c.t.Errorf("told %d times; %d invitations are left, %v", told, len(left), err)
	}
}

// shows waits until the founder's node shows the group so.
func (c *crowd) shows(so func(groups.Info) bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	for {
		news, err := c.nodes[0].News(ctx, c.group)
		c.must(err)
		i, err := c.nodes[0].Show(ctx, c.group)
		c.must(err)
		if so(i) {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			c.t.Fatalf("shown is %+v", i)
		}
	}
}
