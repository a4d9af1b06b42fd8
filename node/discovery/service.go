package discovery

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// Limits of a Service.
const (
	maxCandidates = 1024             // peers it remembers to have heard of
	maxAddrs      = 16               // addresses of each
	maxDials      = 8                // at once
	spareDials    = 2                // beyond those that would be enough if all succeeded
	enough        = 64               // connected peers beyond which it dials nobody by itself, where nobody says otherwise
	firstRetry    = time.Second      // between the first two dials to a peer that does not answer
	maxRetry      = 5 * time.Minute  // between any two
	dialTimeout   = 15 * time.Second // of one
	sourceRetry   = time.Minute      // until a source that failed is tried again
)

// Config says whom to ask and how to connect.
type Config struct {
	Self      peer.ID
	Sources   []Source
	Connected func(peer.ID) bool
	Count     func() int // connected peers
	// Enough is the number of connected peers beyond which nobody is dialled; 64
	// if zero. Dials beyond what the connection manager keeps would go round in
	// circles: it closes what was just opened.
	Enough int
	// Connect dials a peer. It is also called for a connected one that was heard
	// of at a new address: it may have moved and left a dead connection behind.
	Connect func(context.Context, peer.AddrInfo) error
}

// Service runs sources and connects to whom they find.
type Service struct {
	cfg   Config
	slots chan struct{}
	work  sync.WaitGroup

	mu         sync.Mutex
	candidates map[peer.ID]*candidate
	dialing    int // how many of them
}

// candidate is a peer that a source has heard of.
type candidate struct {
	addrs    []multiaddr.Multiaddr // heard of lately
	dialing  bool
	failures int
	reached  time.Time // the newest dial that succeeded; zero once it is judged
	next     time.Time // no dial before
}

// New makes a service.
func New(cfg Config) *Service {
	if cfg.Enough == 0 {
		cfg.Enough = enough
	}
	return &Service{cfg: cfg, slots: make(chan struct{}, maxDials), candidates: make(map[peer.ID]*candidate)}
}

// Run asks the sources until ctx ends. A source that fails does not stop the
// others.
func (s *Service) Run(ctx context.Context) error {
	for _, src := range s.cfg.Sources {
		s.work.Go(func() { s.follow(ctx, src) })
	}
	<-ctx.Done()
	s.work.Wait()
	return nil
}

func (s *Service) follow(ctx context.Context, src Source) {
	for ctx.Err() == nil {
		err := src.Run(ctx, func(info peer.AddrInfo) { s.found(ctx, info) })
		if ctx.Err() != nil {
			return
		}
		logger.Debugw("source ended", "source", src.Name(), "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(sourceRetry):
		}
	}
}

// found dials a peer if that is due.
func (s *Service) found(ctx context.Context, info peer.AddrInfo) {
	if info.ID == s.cfg.Self || len(info.Addrs) == 0 || info.ID.Validate() != nil {
		return
	}
	if len(info.Addrs) > maxAddrs {
		info.Addrs = info.Addrs[:maxAddrs]
	}
	if !s.claim(info) {
		return
	}
	s.work.Go(func() {
		defer s.release(info.ID)
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		case <-ctx.Done():
			return
		}
		s.dial(ctx, info)
	})
}

// claim says that the peer is to be dialled, by the caller and now.
func (s *Service) claim(info peer.AddrInfo) bool {
	connected, count := s.cfg.Connected(info.ID), s.cfg.Count()
	s.mu.Lock()
	defer s.mu.Unlock()
	full := count+max(0, s.dialing-spareDials) >= s.cfg.Enough
	c, known := s.candidates[info.ID]
	if !known {
		if full || !s.room() {
			return false
		}
		c = new(candidate)
		s.candidates[info.ID] = c
	}
	if !connected && !c.reached.IsZero() {
		c.hungUp()
	}
	moved := hasNew(info.Addrs, c.addrs)
	due := moved && (connected || !full) || !connected && !full && !time.Now().Before(c.next)
	if c.dialing || !due {
		return false
	}
	if moved {
		c.failures = 0
		c.hear(info.Addrs)
	}
	c.dialing = true
	s.dialing++
	return true
}

// hear adds addresses to those that are no news any more.
func (c *candidate) hear(addrs []multiaddr.Multiaddr) {
	if len(c.addrs)+len(addrs) > 4*maxAddrs {
		c.addrs = nil
	}
	for _, a := range addrs {
		if !multiaddr.Contains(c.addrs, a) {
			c.addrs = append(c.addrs, a)
		}
	}
}

// room forgets somebody nobody waits for if there are too many; mu is held.
func (s *Service) room() bool {
	if len(s.candidates) < maxCandidates {
		return true
	}
	for id, c := range s.candidates {
		if !c.dialing {
			delete(s.candidates, id)
			return true
		}
	}
	return false
}

// hasNew says that now holds an address that before does not.
func hasNew(now, before []multiaddr.Multiaddr) bool {
	for _, a := range now {
		if !multiaddr.Contains(before, a) {
			return true
		}
	}
	return false
}

func (s *Service) dial(ctx context.Context, info peer.AddrInfo) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	err := s.cfg.Connect(ctx, info)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.candidates[info.ID]
	if c == nil {
		return
	}
	if err == nil {
		c.reached = time.Now()
		return
	}
	logger.Debugw("candidate not reached", "peer", info.ID, "err", err)
	c.failed()
}

// failed puts the next dial off, further each time.
func (c *candidate) failed() {
	wait := maxRetry
	if c.failures < 9 {
		wait = firstRetry << c.failures
	}
	c.failures++
	c.next = time.Now().Add(wait/2 + rand.N(wait/2+1))
}

// lasting is how long a connection must have lasted for its dial to count as a
// success: a peer that takes every connection and drops it is no better than
// one that takes none.
const lasting = time.Minute

// hungUp judges a dial that succeeded by how long ago that was, now that the
// connection is gone.
func (c *candidate) hungUp() {
	if time.Since(c.reached) > lasting {
		c.failures = 0
	}
	c.reached = time.Time{}
	c.failed()
}

func (s *Service) release(id peer.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dialing--
	if c := s.candidates[id]; c != nil {
		c.dialing = false
	}
}
