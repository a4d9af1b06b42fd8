package stress

import (
	"context"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
	"github.com/tom-protocol/tom/node/localapi"
)

// ping sends a message, waits for the receipt, and sends the next.
func (s *stage) ping(ctx context.Context) error {
	here, there, err := s.pair(ctx)
	if err != nil {
		return err
	}
	s.sending = time.Now()
	end := time.Now().Add(s.left(0.85))
	for time.Now().Before(end) {
		id, err := s.send(ctx, here, there, s.cfg.Size, time.Now())
		if err != nil {
			return err
		}
		m, err := here.client.Wait(ctx, id, localapi.Delivered, s.cfg.Patience)
		if err != nil {
			return err
		}
		if m.State != localapi.Delivered && m.State != localapi.Read {
			break // the counts say it
		}
	}
	s.sent = time.Now()
	if err := s.conclude(ctx, here, s.hearers()...); err != nil {
		return err
	}
	s.result.Want(verdict.AtLeast("receipts", s.result.Counts.Delivered, 1))
	return nil
}
