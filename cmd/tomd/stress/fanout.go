package stress

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
)

// fans is to how many one sends.
const fans = 5

// fanout sends each message to several at once, each of whom must get it.
func (s *stage) fanout(ctx context.Context) error {
	names := []string{"alice"}
	for i := range fans {
		names = append(names, fmt.Sprintf("fan%d", i+1))
	}
	members, err := s.daemons(ctx, names...)
	if err != nil {
		return err
	}
	for _, fan := range members[1:] {
		if err := s.acquaint(ctx, members[0], fan); err != nil {
			return err
		}
	}
	s.attend(members...)
	s.sending = time.Now()
	span := s.left(0.75)
	g, sending := errgroup.WithContext(ctx)
	for _, fan := range members[1:] {
		g.Go(func() error {
			return s.steadily(sending, endOf(members[0]), endOf(fan), s.cfg.every(20), span)
		})
	}
	err = g.Wait()
	s.sent = time.Now()
	if err != nil {
		return err
	}
	if err := s.conclude(ctx, endOf(members[0]), members[1:]...); err != nil {
		return err
	}
	for _, fan := range members[1:] {
		sum := verdict.Step{Name: "to " + fan.Name}
		s.book.do(func(l *ledger.Ledger) {
			sum.Latency = l.LatencyOf(func(k ledger.Key) bool { return k.To == fan.Name }).Summary()
		})
		s.result.Steps = append(s.result.Steps, sum)
		s.result.Want(verdict.AtLeast("receipts of "+fan.Name, int(sum.Latency.Count), 1))
	}
	return nil
}
