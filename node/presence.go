package node

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tom-protocol/tom/node/links"
)

// Presence says whether a peer can be reached.
type Presence = links.State

// The states of a peer.
const (
	Offline = links.Offline
	Stale   = links.Stale
	Online  = links.Online
)

// Peers that come and go all the time must not fill the log of events: each has
// so many events at once, and one more with each interval. Of what happens
// faster the newest state follows.
const (
	presenceBurst    = 6
	presenceInterval = 30 * time.Second
	maxPresences     = 4096 // peers whose events are counted
)

// presences turns states of peers into events. Its methods are for any
// goroutine.
type presences struct {
	write func(Peer, Presence) error
	wake  chan struct{} // holds at most one token: newest is not empty

	mu     sync.Mutex
	newest map[Peer]Presence // not written yet
	told   map[Peer]*told
}

type told struct {
	state Presence // as last written
	allow *rate.Limiter
}

func newPresences(write func(Peer, Presence) error) *presences {
	return &presences{
		write: write, wake: make(chan struct{}, 1),
		newest: make(map[Peer]Presence), told: make(map[Peer]*told),
	}
}

// note takes in a state. It does not block.
func (s *presences) note(p Peer, state Presence) {
	s.mu.Lock()
	s.newest[p] = state
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run writes events until ctx ends.
func (s *presences) run(ctx context.Context) error {
	later := time.NewTimer(time.Hour)
	defer later.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-later.C:
		}
		due, left := s.take(time.Now())
		for p, state := range due {
			warn("note that a peer came or went", s.write(p, state))
		}
		if left {
			later.Reset(presenceInterval / 4)
		}
	}
}

// take returns what may be written now, and whether anything has to wait.
func (s *presences) take(now time.Time) (due map[Peer]Presence, left bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	due = make(map[Peer]Presence)
	for p, state := range s.newest {
		t := s.of(p)
		if t.state != state && !t.allow.AllowN(now, 1) {
			left = true
			continue
		}
		delete(s.newest, p)
		if t.state != state {
			t.state = state
			due[p] = state
		}
	}
	return due, left
}

// of is what p's events are counted by. Without room for it one that is offline
// makes place, or any.
func (s *presences) of(p Peer) *told {
	t := s.told[p]
	if t != nil {
		return t
	}
	if len(s.told) >= maxPresences {
		s.drop()
	}
	t = &told{allow: rate.NewLimiter(rate.Every(presenceInterval), presenceBurst)}
	s.told[p] = t
	return t
}

func (s *presences) drop() {
	var victim Peer
	for p, t := range s.told {
		victim = p
		if t.state == Offline {
			break
		}
	}
	delete(s.told, victim)
}
