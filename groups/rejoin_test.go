package groups_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// unheard lets a node hear nothing while the hub hears it, and lets it join.
func unheard(c *crowd) (n *groupstest.Node, joined chan error, cancel func()) {
	c.t.Helper()
	n = c.settle("late")
	c.town.Slow(func(_, to protocols.Key) groupstest.Speed { return groupstest.Speed{Deaf: to == n.Key} })
	ctx, cancel := context.WithCancel(c.t.Context())
	joined = make(chan error, 1)
	go func() {
		_, err := n.Join(ctx, c.link)
		joined <- err
	}()
	c.admits(n)
	return n, joined, cancel
}

// admits waits until the founder's log has a node as a member.
func (c *crowd) admits(n *groupstest.Node) {
	c.t.Helper()
	for {
		i, err := c.nodes[0].Show(c.t.Context(), c.group)
		c.must(err)
		for _, m := range i.Members {
			if m.Node == n.Key {
				return
			}
		}
		news, err := c.nodes[0].News(c.t.Context(), c.group)
		c.must(err)
		<-news
	}
}

// A node that is killed when its join stands in the log, and before it knows,
// finds its way in at its next start, by the same record.
func TestAJoinOutlivesAKill(t *testing.T) {
	t.Parallel()
	inTown(t, 2, func(c *crowd) {
		late, joined, cancel := unheard(c)
		defer cancel()
		late.Stop()
		if err := <-joined; !errors.Is(err, groups.ErrStopped) {
			c.t.Fatalf("the join ended with %v", err)
		}
		c.town.Slow(func(_, _ protocols.Key) groupstest.Speed { return groupstest.Speed{} })
		c.must(late.Start())
		for {
			synctest.Wait()
			if list, err := late.List(c.t.Context()); err != nil || len(list) == 1 {
				c.must(err)
				break
			}
			virtual.Pass(time.Second)
		}
		c.write(late, "here at last", 2)
		if i, err := c.nodes[0].Show(c.t.Context(), c.group); err != nil || len(i.Members) != 3 {
			c.t.Errorf("%d members, %v", len(i.Members), err)
		}
	})
}

// Who gave up too soon joins by the same invitation again.
func TestWhoGaveUpTriesAgain(t *testing.T) {
	t.Parallel()
	inTown(t, 2, func(c *crowd) {
		late, joined, cancel := unheard(c)
		cancel()
		if err := <-joined; !errors.Is(err, groups.ErrNobody) {
			c.t.Fatalf("the join ended with %v", err)
		}
		late.Stop()
		c.must(late.Start())
		c.town.Slow(func(_, _ protocols.Key) groupstest.Speed { return groupstest.Speed{} })
		virtual.Pass(time.Minute)
		if list, err := late.List(c.t.Context()); err != nil || len(list) != 0 {
			c.t.Errorf("it joined although it had been told that it could not: %v, %v", list, err)
		}
		_, err := late.Join(c.t.Context(), c.link)
		c.must(err)
		c.write(late, "here at last", 2)
	})
}
