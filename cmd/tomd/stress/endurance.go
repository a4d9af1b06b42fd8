package stress

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
)

// endurance sends steadily, for as long as one likes, and kills each side now
// and then. What nobody could send while the sender's daemon was away counts
// from when it was due.
func (s *stage) endurance(ctx context.Context) error {
	here, there, err := s.pair(ctx)
	if err != nil {
		return err
	}
	every := s.cfg.every(1)
	span := max(s.left(0.85), s.left(1)-20*time.Second)
	s.result.GapsOver = max(3*every, 2*time.Second)
	if err := s.sendAndKill(ctx, here, there, every, span); err != nil {
		return err
	}
	if err := s.conclude(ctx, here, s.hearers()...); err != nil {
		return err
	}
	s.result.Want(verdict.AtLeast("messages, one for each time one was due", s.result.Counts.Accepted, int(span/every)))
	return nil
}

// sendAndKill sends, and kills both daemons in turn if they are its own.
func (s *stage) sendAndKill(ctx context.Context, here, there end, every, span time.Duration) error {
	killing, enough := context.WithCancel(ctx)
	g, killing := errgroup.WithContext(killing)
	s.sending = time.Now()
	g.Go(func() error {
		defer enough()
		err := s.steadily(killing, here, there, every, span)
		s.sent = time.Now()
		return err
	})
	for i, m := range s.members() {
		g.Go(func() error { return s.killNowAndThen(killing, m, span, i) })
	}
	err := g.Wait()
	if ctx.Err() == nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// killNowAndThen kills a daemon every so often, the two half a time apart, and
// starts it again after a while.
func (s *stage) killNowAndThen(ctx context.Context, m *fleet.Member, span time.Duration, which int) error {
	every := s.cfg.KillEvery
	if every == 0 {
		every = span / 4
	}
	if every < 0 {
		return nil
	}
	away := s.cfg.Away
	if away == 0 {
		away = min(every/10, 10*time.Second)
	}
	pause(ctx, time.Duration(which+1)*every/2-every/4)
	for ctx.Err() == nil {
		s.kill(m)
		pause(ctx, away)
		if err := s.back(context.WithoutCancel(ctx), m); err != nil {
			return err
		}
		pause(ctx, every-away)
	}
	return nil
}
