package groups

import (
	"context"
	"sync"
	"time"
)

// Resign hands over wherever this node is hub and another can take its place,
// before a clean stop. It returns when others lead, or ctx has ended.
func (s *Service) Resign(ctx context.Context) {
	var work sync.WaitGroup
	for _, r := range append(s.all(), s.of(true)...) {
		work.Go(func() { r.resign(ctx) })
	}
	work.Wait()
}

func (r *room) resign(ctx context.Context) {
	leads, news := false, (<-chan struct{})(nil)
	err := r.do(ctx, func(now time.Time) { leads, news = r.seat.Leads() && r.seat.Resign(now), r.news })
	for err == nil && leads {
		select {
		case <-news:
		case <-ctx.Done():
			return
		}
		err = r.do(ctx, func(time.Time) { leads, news = r.seat.Leads(), r.news })
	}
}
