package natlab

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

// meeting is what came of one daemon writing to another that it has never met
// and of which it knows the id alone.
type meeting struct {
	ready     time.Duration // from bob's start until others could find him
	path      string        // of the first message
	delivered time.Duration // from send to its receipt
	direct    bool          // they have a direct connection in the end
	move      time.Duration // from the first connection, if that was relayed, to a direct one
	before    time.Duration // round trip while relayed, 0 if it never was
	after     time.Duration // round trip at the end
	transport string        // at the end
}

// deliveryTime is how long a message may be on its way before it counts as lost.
const deliveryTime = 20 * time.Second

// meet has alice write to bob, and watches until they have a direct connection,
// or for that long.
func meet(t *testing.T, alice, bob *party, watch time.Duration) (m meeting) {
	t.Helper()
	w := alice.watch(t, bob.ID)
	start := time.Now()
	msg := alice.delivers(t, bob, "hello")
	m.delivered, m.path = time.Since(start), msg.Path
	m.direct = w.await(func(s sightings) bool { return !s.direct.IsZero() }, watch)
	if m.direct {
		w.await(func(s sightings) bool { return s.after > 0 }, watch)
	}
	s := w.end()
	if m.direct && !s.relayed.IsZero() && s.relayed.Before(s.direct) {
		m.move = s.direct.Sub(s.relayed)
	}
	m.before, m.after, m.transport = s.before, s.after, s.transport
	// Whatever has changed below them, they go on talking.
	alice.delivers(t, bob, "still there?")
	bob.delivers(t, alice, "yes")
	return m
}

// delivers sends a message and waits for its receipt.
func (p *party) delivers(t *testing.T, to *party, text string) localapi.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*deliveryTime)
	defer cancel()
	a, err := p.Client.Send(ctx, localapi.Outgoing{To: to.ID, Content: localapi.NewContent(localapi.DefaultType, []byte(text))})
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.Client.Wait(ctx, a.ID, localapi.Delivered, deliveryTime)
	if err != nil || m.State != localapi.Delivered {
		trace, _ := p.Client.Trace(ctx, a.ID)
		t.Fatalf("%s to %s: %q is %s after %v: %s (%v): %+v", p.Name, to.Name, text, m.State, deliveryTime, m.Reason, err, trace.Attempts)
	}
	return m
}

// sightings is what a daemon's list of peers said of one of them, and when.
type sightings struct {
	relayed, direct time.Time // first seen so
	before, after   time.Duration
	transport       string
}

// watcher looks at the list all the time.
type watcher struct {
	stop  context.CancelFunc
	ended chan struct{}

	mu   sync.Mutex
	seen sightings
}

// glance is the time between two looks, which is how exact the times are.
const glance = 10 * time.Millisecond

func (p *party) watch(t *testing.T, id string) *watcher {
	ctx, cancel := context.WithCancel(t.Context())
	w := &watcher{stop: cancel, ended: make(chan struct{})}
	go func() {
		defer close(w.ended)
		next := time.NewTicker(glance)
		defer next.Stop()
		for ; ctx.Err() == nil; <-next.C {
			peers, err := p.Client.Peers(ctx)
			if err != nil {
				return // it is gone, or nobody asks any more
			}
			w.mu.Lock()
			w.seen.look(peers, id, time.Now())
			w.mu.Unlock()
		}
	}()
	return w
}

func (s *sightings) look(peers []localapi.Peer, id string, now time.Time) {
	for _, p := range peers {
		rtt := time.Duration(p.RTTMS * float64(time.Millisecond))
		switch {
		case p.ID != id:
		case p.Path == "direct":
			if s.direct.IsZero() {
				s.direct = now
			}
			s.after, s.transport = rtt, transportOf(p.Addr)
		default:
			if s.relayed.IsZero() {
				s.relayed = now
			}
			if s.direct.IsZero() {
				s.before, s.transport = rtt, transportOf(p.Addr)
			}
		}
	}
}

func transportOf(addr string) string {
	switch {
	case strings.Contains(addr, "/quic-v1"):
		return "QUIC"
	case strings.Contains(addr, "/tcp/"):
		return "TCP"
	default:
		return ""
	}
}

func (w *watcher) now() sightings {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// await returns whether the condition became true within the time.
func (w *watcher) await(condition func(sightings) bool, limit time.Duration) bool {
	_, err := proc.Until(context.Background(), limit, func() string {
		if condition(w.now()) {
			return ""
		}
		return "not seen"
	})
	return err == nil
}

func (w *watcher) end() sightings {
	w.stop()
	<-w.ended
	return w.now()
}

func (m meeting) String() string {
	return fmt.Sprintf("delivered %s after %v; direct %t, %v after relayed; round trip %v, then %v, over %s",
		m.path, m.delivered, m.direct, m.move, m.before, m.after, m.transport)
}
