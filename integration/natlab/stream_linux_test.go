package natlab

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tom-protocol/tom/node/localapi"
)

const (
	streamed = 2000                 // messages of a stream
	pace     = 4 * time.Millisecond // from one to the next
	hitAfter = 500                  // so many have arrived when something happens
	gapGoal  = 5 * time.Second      // the longest time without a message
)

// stream is messages on their way from one daemon to another, while something
// happens to the path.
type stream struct {
	from, to *party
	hit      func(context.Context) error // what happens when hitAfter have arrived, if anything

	arrived map[string]int // by body: how often
	last    time.Time      // when the newest came
	gap     time.Duration  // the longest between two of them
	gapAt   int            // how many had come before it
}

// run sends the messages, and returns when all have arrived.
func (s *stream) run(ctx context.Context) error {
	s.arrived = make(map[string]int)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	reading := make(chan struct{})
	g.Go(func() error { return s.receive(ctx, reading) })
	g.Go(func() error {
		<-reading
		return s.send(ctx)
	})
	return g.Wait()
}

func body(n int) string { return fmt.Sprintf("message %d", n) }

// send keeps its pace also while messages have to wait to be accepted.
func (s *stream) send(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(32)
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for n := range streamed {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return g.Wait()
		}
		g.Go(func() error {
			_, err := s.from.Client.Send(ctx, localapi.Outgoing{To: s.to.ID, Content: localapi.NewContent(localapi.DefaultType, []byte(body(n)))})
			if err != nil {
				return fmt.Errorf("send: %w", err)
			}
			return nil
		})
	}
	return g.Wait()
}

func (s *stream) receive(ctx context.Context, reading chan<- struct{}) error {
	since, err := s.cursor(ctx)
	close(reading)
	if err != nil {
		return err
	}
	for e, err := range s.to.Client.Events(ctx, since) {
		if err != nil {
			return fmt.Errorf("%d of %d have arrived: %w", len(s.arrived), streamed, err)
		}
		if e.Kind != localapi.EventReceived {
			continue
		}
		if err := s.count(e.Message, time.Now()); err != nil {
			return err
		}
		if hit := s.hit; hit != nil && len(s.arrived) == hitAfter {
			s.hit = nil
			if err := hit(ctx); err != nil {
				return err
			}
		}
		if len(s.arrived) == streamed {
			return nil
		}
	}
	return fmt.Errorf("%d of %d have arrived: %w", len(s.arrived), streamed, ctx.Err())
}

// cursor is the place in the recipient's events where those to come begin.
func (s *stream) cursor(ctx context.Context) (last localapi.Cursor, err error) {
	for page, err := range s.to.Client.Inbox(ctx, localapi.InboxQuery{}) {
		if err != nil {
			return 0, err
		}
		last = page.Cursor
	}
	return last, nil
}

func (s *stream) count(m *localapi.Received, now time.Time) error {
	b, err := m.Bytes()
	if err != nil {
		return err
	}
	if wait := now.Sub(s.last); !s.last.IsZero() && wait > s.gap {
		s.gap, s.gapAt = wait, len(s.arrived)
	}
	s.last = now
	s.arrived[string(b)]++
	return nil
}

// judge holds the inbox against what was sent: all of it, and nothing twice.
func (s *stream) judge(t *testing.T) {
	t.Helper()
	rows := make(map[string]int)
	for page, err := range s.to.Client.Inbox(t.Context(), localapi.InboxQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Messages {
			b, err := m.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			rows[string(b)]++
		}
	}
	for n := range streamed {
		if got := rows[body(n)]; got != 1 || s.arrived[body(n)] != 1 {
			t.Errorf("%q is %d times in the inbox, and %d times in the events", body(n), got, s.arrived[body(n)])
		}
	}
}
