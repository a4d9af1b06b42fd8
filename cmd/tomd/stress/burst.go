package stress

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
)

const (
	burstSenders = 8       // at once
	burstMost    = 200_000 // messages: all of them are in the books
	burstAhead   = 4096    // accepted and not yet signed for: what is measured is the pace, not the queue
)

// burst sends as fast as both ends take it.
func (s *stage) burst(ctx context.Context) error {
	here, there, err := s.pair(ctx)
	if err != nil {
		return err
	}
	s.sending = time.Now()
	end := time.Now().Add(s.left(0.6))
	g, ctx := errgroup.WithContext(ctx)
	for range burstSenders {
		g.Go(func() error {
			for time.Now().Before(end) && s.room(ctx, end) {
				if _, err := s.send(ctx, here, there, s.cfg.Size, time.Now()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = g.Wait()
	s.sent = time.Now()
	if err != nil {
		return err
	}
	return s.conclude(context.WithoutCancel(ctx), here, s.hearers()...)
}

// room waits until not too many messages are under way; false means that the
// phase has sent enough.
func (s *stage) room(ctx context.Context, end time.Time) bool {
	for time.Now().Before(end) && ctx.Err() == nil {
		var sent, open int
		s.book.do(func(l *ledger.Ledger) { sent, open = l.UnderWay() })
		if sent >= burstMost {
			return false
		}
		if open < burstAhead {
			return true
		}
		pause(ctx, time.Millisecond)
	}
	return false
}
