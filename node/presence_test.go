package node

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/integration/virtual"
)

// presenceLog runs presences in a bubble and returns what was written.
func presenceLog(t *testing.T, f func(s *presences)) (log []Presence) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newPresences(func(_ Peer, state Presence) error { log = append(log, state); return nil })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.run(ctx) }()
		f(s)
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return log
}

func TestPeerThatComesAndGoesIsToldAtOnce(t *testing.T) {
	t.Parallel()
	want := []Presence{Online, Stale, Offline, Online}
	got := presenceLog(t, func(s *presences) {
		for _, state := range want {
			s.note(Peer{1}, state)
			s.note(Peer{1}, state) // twice is once
			synctest.Wait()
		}
	})
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestFlappingPeerDoesNotFillTheLog(t *testing.T) {
	t.Parallel()
	got := presenceLog(t, func(s *presences) {
		for range 3600 { // an hour
			s.note(Peer{1}, Online)
			virtual.Pass(time.Second / 2)
			s.note(Peer{1}, Stale)
			virtual.Pass(time.Second / 2)
		}
		s.note(Peer{1}, Online)
		virtual.Pass(time.Minute)
	})
	if len(got) < 100 || len(got) > 130 {
		t.Errorf("%d events in an hour of flapping, want 6 and one each 30 s", len(got))
	}
	if got[len(got)-1] != Online {
		t.Errorf("the last word is %v, and the peer is online", got[len(got)-1])
	}
}

func TestCrowdOfPeersIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newPresences(func(Peer, Presence) error { return nil })
		for i := range 2 * maxPresences {
			s.note(Peer{byte(i), byte(i >> 8)}, Online)
			s.take(time.Now())
		}
		if len(s.told) > maxPresences {
			t.Errorf("%d peers are counted, want at most %d", len(s.told), maxPresences)
		}
	})
}
