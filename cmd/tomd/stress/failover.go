package stress

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
	"github.com/tom-protocol/tom/node/localapi"
)

// halt is how long a group may take, at most, to go on after its hub was killed:
// the rules allow for a few seconds, and this for a machine that is busy.
const halt = 20 * time.Second

// failover kills the hub of a group whose members all write, and wants the talk
// to go on with another hub, with nothing lost that was accepted.
func (s *stage) failover(ctx context.Context) error {
	c, err := s.gather(ctx, circleNames...)
	if err != nil {
		return err
	}
	span := s.left(0.7)
	g, sending := errgroup.WithContext(ctx)
	g.Go(func() error { return c.talk(sending, c.cfg.every(4), span) })
	rounds := 0
	g.Go(func() (err error) {
		rounds, err = c.killHubs(sending, time.Now().Add(span))
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	s.sent = time.Now()
	s.result.Want(verdict.AtLeast("hubs that were killed", rounds, 1))
	return c.conclude(ctx)
}

// killHubs kills the hub, waits until the others go on, and starts it again; as
// often as there is time for, but once in any case.
func (c *circle) killHubs(ctx context.Context, end time.Time) (rounds int, err error) {
	for rounds == 0 || time.Until(end) > 5*time.Second {
		hub, err := c.chained(ctx)
		if err != nil {
			return rounds, err
		}
		took, next, err := c.overthrow(ctx, hub)
		if err != nil {
			return rounds, err
		}
		rounds++
		c.say("%s is hub, and the talk goes on, %v after %s was killed", next, took.Round(time.Millisecond), hub.Name)
		c.result.Want(verdict.Within(fmt.Sprintf("the talk goes on after hub %d was killed", rounds), took, halt))
		if err := c.back(ctx, hub); err != nil {
			return rounds, err
		}
		pause(ctx, 2*time.Second)
	}
	return rounds, ctx.Err()
}

// chained waits until the hub has named who is to follow it, and gives it.
func (c *circle) chained(ctx context.Context) (*fleet.Member, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Patience)
	defer cancel()
	for {
		g, err := c.members[0].Client.Group(ctx, c.group)
		if err == nil && g.Shadow != "" {
			if hub := c.member(g.Hub); hub != nil {
				return hub, nil
			}
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("the group has no hub that somebody stands behind: %w", ctx.Err())
		}
		pause(ctx, look)
	}
}

func (c *circle) member(id string) *fleet.Member {
	i := slices.IndexFunc(c.members, func(m *fleet.Member) bool { return m.ID() == id })
	if i < 0 {
		return nil
	}
	return c.members[i]
}

// overthrow kills the hub and waits until a message that was written afterwards
// is in the log. It tells how long that took, and who is hub then.
func (c *circle) overthrow(ctx context.Context, hub *fleet.Member) (took time.Duration, next string, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Patience)
	defer cancel()
	other := c.members[0]
	if other == hub {
		other = c.members[1]
	}
	killed := time.Now()
	c.kill(hub)
	w, err := c.write(ctx, other, killed)
	if err != nil {
		return 0, "", err
	}
	sent, err := other.Client.WaitGroup(ctx, c.group, w.id, localapi.GroupAccepted, c.cfg.Patience)
	switch {
	case err != nil:
		return 0, "", fmt.Errorf("after the hub was killed: %w", err)
	case !sent.State.Reached(localapi.GroupAccepted):
		return 0, "", fmt.Errorf("after the hub was killed a message is %s", sent.State)
	}
	took = time.Since(killed)
	g, err := other.Client.Group(ctx, c.group)
	if err != nil {
		return 0, "", err
	}
	if m := c.member(g.Hub); m != nil && m != hub {
		c.confirmLater(other, w)
		return took, m.Name, nil
	}
	return 0, "", fmt.Errorf("after %s was killed the hub is %s", hub.Name, g.Hub)
}

// confirmLater waits in the background until all have a record.
func (c *circle) confirmLater(m *fleet.Member, w written) {
	records := make(chan written, 1)
	records <- w
	close(records)
	c.following.Go(func() { _ = c.confirm(c.follows, m, records) }) // if it ends early the counts say it
}
