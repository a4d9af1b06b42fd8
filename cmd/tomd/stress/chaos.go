package stress

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tom-protocol/tom/cmd/tomd/child"
	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
)

// unlucky are those who write to each other while anything may happen to them.
var unlucky = []string{"alice", "bob", "carol", "dave", "erin"}

// mishap is something that happens to one of them, for a while.
type mishap struct {
	name string
	do   func(s *stage, ctx context.Context, m *fleet.Member, span time.Duration) error
}

var mishaps = []mishap{
	{"killed", (*stage).killFor},
	{"killed", (*stage).killFor},
	{"paused", (*stage).pauseFor},
	{"stopped", (*stage).stopFor},
	{"cut off", (*stage).cutOffFor},
}

// chaos kills, pauses, stops and cuts off daemons at random while they write to
// each other in bad weather. At the end everybody is there, and everything must be.
func (s *stage) chaos(ctx context.Context) error {
	var members []*fleet.Member
	for _, name := range unlucky {
		m, err := s.fleet.Start(ctx, name, "--chaos", s.cfg.Weather)
		if err != nil {
			return err
		}
		members = append(members, m)
	}
	if err := s.acquaint(ctx, members...); err != nil {
		return err
	}
	s.attend(members...)
	span := s.left(0.65)
	s.sending = time.Now()
	g, sending := errgroup.WithContext(ctx)
	for i, m := range members {
		g.Go(func() error {
			to := members[(i+1)%len(members)]
			return s.steadily(sending, endOf(m), endOf(to), s.cfg.every(4), span)
		})
	}
	happened := 0
	g.Go(func() (err error) {
		happened, err = s.haunt(sending, members, time.Now().Add(span))
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	s.sent = time.Now()
	s.result.Want(verdict.AtLeast("mishaps", happened, 1))
	return s.conclude(ctx, endOf(members[0]), members...)
}

// haunt lets mishaps happen, one after another, until the time is over; one at
// least.
func (s *stage) haunt(ctx context.Context, members []*fleet.Member, end time.Time) (happened int, err error) {
	choice := slices.Clone(mishaps)
	if !child.CanPause {
		choice = slices.DeleteFunc(choice, func(m mishap) bool { return m.name == "paused" })
		s.result.Notes = append(s.result.Notes, "processes cannot be paused on this system")
	}
	for happened == 0 || time.Now().Before(end) {
		victims := s.rng.Perm(len(members))[:1+s.rng.IntN(2)] // one, or two at once
		g, all := errgroup.WithContext(ctx)
		for _, i := range victims {
			m, what := members[i], choice[s.rng.IntN(len(choice))]
			long := time.Duration(s.rng.Int64N(int64(3 * time.Second)))
			g.Go(func() error {
				if err := what.do(s, all, m, long); err != nil {
					return fmt.Errorf("%s is %s: %w", m.Name, what.name, err)
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return happened, err
		}
		happened += len(victims)
		pause(ctx, time.Duration(s.rng.Int64N(int64(time.Second))))
		if ctx.Err() != nil {
			return happened, ctx.Err()
		}
	}
	return happened, nil
}

func (s *stage) killFor(ctx context.Context, m *fleet.Member, span time.Duration) error {
	s.kill(m)
	pause(ctx, span)
	return s.back(context.WithoutCancel(ctx), m)
}

// stopFor ends a daemon as a user would.
func (s *stage) stopFor(ctx context.Context, m *fleet.Member, span time.Duration) error {
	_ = m.Look(ctx)
	s.mourn() // what it counts while it stops nobody sees
	if err := m.Stop(ctx); err != nil {
		return err
	}
	s.say("%s is stopped", m.Name)
	pause(ctx, span)
	return s.back(context.WithoutCancel(ctx), m)
}

// cutOffFor lets a daemon run, and nothing of what it says or hears get through: a
// partition with it alone on one side.
func (s *stage) cutOffFor(ctx context.Context, m *fleet.Member, span time.Duration) error {
	s.kill(m)
	if err := s.back(context.WithoutCancel(ctx), m, "--chaos", "loss=100%"); err != nil {
		return err
	}
	s.say("%s is cut off", m.Name)
	pause(ctx, span)
	s.kill(m)
	return s.back(context.WithoutCancel(ctx), m, "--chaos", s.cfg.Weather)
}

// pauseFor suspends a process: to the others it is there, and says nothing.
func (s *stage) pauseFor(ctx context.Context, m *fleet.Member, span time.Duration) error {
	if err := m.Pause(); err != nil {
		return err
	}
	s.say("%s is paused (SIGSTOP)", m.Name)
	pause(ctx, span)
	if err := m.Resume(); err != nil {
		return err
	}
	s.say("%s goes on after %v", m.Name, span.Round(time.Millisecond))
	return nil
}
