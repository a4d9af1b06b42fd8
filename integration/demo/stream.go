package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

const (
	messages = 1000 // in the stream
	before   = 200  // at least so many are delivered when bob is killed
	after    = 300  // at least so many are sent when he is dead
	senders  = 4    // sending at once
)

// streaming is alice's stream of messages to bob, and what is known of it.
type streaming struct {
	alice, bob *proc.Daemon
	begin      time.Time

	mu        sync.Mutex
	changed   sync.Cond
	accepted  map[string]string // by id: the body
	delivered map[string]bool   // by id, as alice's events tell
	ended     error             // why nothing more will change
}

// stream kills bob in the middle of a stream of messages and starts him again.
// It returns when all are delivered.
func stream(ctx context.Context, alice, bob *proc.Daemon) (*streaming, error) {
	fmt.Printf("\n%d messages from alice to bob, who is killed in the middle\n", messages)
	s := &streaming{alice: alice, bob: bob, begin: time.Now(), accepted: map[string]string{}, delivered: map[string]bool{}}
	s.changed.L = &s.mu
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	from, err := cursor(ctx, alice)
	if err != nil {
		return nil, err
	}
	g, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, func() { s.end(context.Cause(ctx)) })()
	g.Go(func() error { s.watch(watching, from); return nil })
	dead := make(chan struct{})
	g.Go(func() error { return s.send(ctx, dead) })
	g.Go(func() error {
		defer stopWatching()
		return s.killBob(ctx, dead)
	})
	return s, g.Wait()
}

// cursor is the place in a daemon's events where those to come begin.
func cursor(ctx context.Context, d *proc.Daemon) (localapi.Cursor, error) {
	var last localapi.Cursor
	for page, err := range d.Client.Inbox(ctx, localapi.InboxQuery{}) {
		if err != nil {
			return 0, err
		}
		last = page.Cursor
	}
	return last, nil
}

// watch follows alice's events.
func (s *streaming) watch(ctx context.Context, since localapi.Cursor) {
	for e, err := range s.alice.Client.Events(ctx, since) {
		if err != nil {
			s.end(fmt.Errorf("alice's events: %w", err))
			return
		}
		if e.Kind == localapi.EventState && e.State == localapi.Delivered {
			s.change(func() { s.delivered[e.ID] = true })
		}
	}
}

// end says that nothing more is to be waited for.
func (s *streaming) end(err error) { s.change(func() { s.ended = err }) }

func (s *streaming) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	s.changed.Broadcast()
}

// await waits for something to be true; the condition is asked under the lock.
func (s *streaming) await(condition func() bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !condition() {
		if s.ended != nil {
			return s.ended
		}
		s.changed.Wait()
	}
	return nil
}

// send sends without a pause, over the daemon's local interface; but the last
// messages not before bob is dead, however fast this machine is.
func (s *streaming) send(ctx context.Context, dead <-chan struct{}) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(senders)
	for n := range messages {
		if n == messages-after {
			select {
			case <-dead:
			case <-ctx.Done():
			}
		}
		g.Go(func() error {
			body := fmt.Sprintf("message %d", n)
			a, err := s.alice.Client.Send(ctx, localapi.Outgoing{To: s.bob.ID, Content: localapi.NewContent(localapi.DefaultType, []byte(body))})
			if err != nil {
				return fmt.Errorf("send: %w", err)
			}
			s.change(func() { s.accepted[a.ID] = body })
			return nil
		})
	}
	return g.Wait()
}

// killBob kills bob, waits until alice has sent all, and starts him again.
func (s *streaming) killBob(ctx context.Context, dead chan<- struct{}) error {
	if err := s.await(func() bool { return s.signed() >= before }); err != nil {
		return err
	}
	old := s.bob.PID()
	s.bob.Kill()
	close(dead)
	s.say("bob's process %d is killed (SIGKILL)", old)
	if err := s.await(func() bool { return len(s.accepted) == messages }); err != nil {
		return err
	}
	s.say("alice has gone on sending; what bob has not signed for waits on her disk")
	bob, err := s.bob.Again(ctx)
	if err != nil {
		return err
	}
	s.bob = bob
	s.say("bob is started again: process %d, ready after %s", bob.PID(), ms(bob.Ready))
	if err := s.await(func() bool { return s.signed() == messages }); err != nil {
		return err
	}
	s.say("all are delivered, without anybody's help")
	return nil
}

// signed counts the messages of the stream that bob has signed for. It is asked
// under the lock.
func (s *streaming) signed() (count int) {
	for id := range s.accepted {
		if s.delivered[id] {
			count++
		}
	}
	return count
}

// say prints what happened, when, and how far the stream is.
func (s *streaming) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Printf("  %6.2f s  %4d accepted  %4d delivered  %s\n",
		time.Since(s.begin).Seconds(), len(s.accepted), s.signed(), fmt.Sprintf(format, args...))
}
