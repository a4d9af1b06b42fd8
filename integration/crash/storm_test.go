package crash

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tom-protocol/tom/integration/proc/proctest"
	"github.com/tom-protocol/tom/node/localapi"
)

// storm is a sender that never stops, and two processes that are killed under
// it.
type storm struct {
	plan
	t          *testing.T
	alice, bob *victim
	begin      time.Time

	mu         sync.Mutex
	grown      sync.Cond         // accepted has grown, or all is over
	accepted   map[string]string // by id: the body
	unanswered map[string]bool   // by body: sent, but the process died before it answered
}

func newStorm(t *testing.T, p plan) *storm {
	m := proctest.New(t)
	alice, bob := m.Start("alice"), m.Start("bob")
	for _, c := range []struct {
		who *localapi.Client
		of  string
	}{{alice.Client, bob.Link}, {bob.Client, alice.Link}} {
		if _, err := c.who.AddContact(t.Context(), c.of, ""); err != nil {
			t.Fatal(err)
		}
	}
	s := &storm{
		plan: p, t: t, alice: newVictim(alice), bob: newVictim(bob), begin: time.Now(),
		accepted: map[string]string{}, unanswered: map[string]bool{},
	}
	s.grown.L = &s.mu
	return s
}

// rage sends all messages and kills as planned; it returns when the last
// message is accepted and the last killed process is back.
func (s *storm) rage(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, s.grown.Broadcast)()
	numbers := make(chan int)
	g.Go(func() error {
		defer close(numbers)
		for n := range s.messages {
			select {
			case numbers <- n:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range s.senders {
		g.Go(func() error {
			for n := range numbers {
				if err := s.send(ctx, n); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error { return s.kill(ctx, "alice", s.alice, s.moments(1)) })
	g.Go(func() error { return s.kill(ctx, "bob", s.bob, s.moments(2)) })
	return g.Wait()
}

// send sends a message until it is accepted, under another body each time.
func (s *storm) send(ctx context.Context, number int) error {
	for attempt := 0; ; attempt++ {
		d, err := s.alice.living(ctx)
		if err != nil {
			return err
		}
		body := fmt.Sprintf("%d.%d %s", number, attempt, strings.Repeat("x", number%700))
		accepted, err := d.Client.Send(ctx, localapi.Outgoing{To: "bob", Content: localapi.NewContent(localapi.DefaultType, []byte(body))})
		if err == nil {
			return s.accept(accepted.ID, body)
		}
		if none := (*localapi.NoDaemonError)(nil); !errors.As(err, &none) || ctx.Err() != nil {
			return fmt.Errorf("send %d: %w", number, err)
		}
		s.mu.Lock()
		s.unanswered[body] = true
		s.mu.Unlock()
	}
}

func (s *storm) accept(id, body string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.accepted[id]; twice {
		return fmt.Errorf("id %s was given to two messages", id)
	}
	s.accepted[id] = body
	s.grown.Broadcast()
	return nil
}

// await waits until so many messages are accepted.
func (s *storm) await(ctx context.Context, count int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.accepted) < count && ctx.Err() == nil {
		s.grown.Wait()
	}
	return ctx.Err()
}

// kill kills a process at each of the moments.
func (s *storm) kill(ctx context.Context, name string, v *victim, moments []moment) error {
	for _, m := range moments {
		if err := s.await(ctx, m.accepted); err != nil {
			return err
		}
		select {
		case <-time.After(m.after):
		case <-ctx.Done():
			return ctx.Err()
		}
		s.mu.Lock()
		count := len(s.accepted)
		s.mu.Unlock()
		at := time.Since(s.begin)
		away, err := v.killAndRestart(ctx)
		if err != nil {
			return err
		}
		s.t.Logf("%6.2f s: killed %s, %d accepted; back after %d ms", at.Seconds(), name, count, away.Milliseconds())
	}
	return nil
}
