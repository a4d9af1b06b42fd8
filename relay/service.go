package relay

import (
	"context"
	"sync"
	"time"

	"github.com/ipfs/go-log/v2"
	"golang.org/x/sync/semaphore"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/relay/fair"
	"github.com/tom-protocol/tom/relay/reputation"
	"github.com/tom-protocol/tom/relay/role"
)

var logger = log.Logger("tom/relay")

// Service relays for others and chooses relays for this node. Its methods are
// for any goroutine.
type Service struct {
	cfg    Config
	limits Limits
	count  *counters
	ready  chan struct{} // closed once Run has begun
	wake   chan struct{} // holds a token: something is to be timed anew
	dials  *semaphore.Weighted
	knocks *semaphore.Weighted // same, for strangers
	work   sync.WaitGroup
	ctx    context.Context // ends with Run

	// mu guards what follows. No method of Lines or Atlas is called under it.
	mu       sync.Mutex
	stopped  bool // Run has ended, or is about to
	passages passages
	queue    *fair.Queue[*passage]
	rates    rates
	book     *reputation.Book
	unsaved  bool
	judge    role.Judge
	back     recent[protocols.Key, arrival]   // by which neighbour an author's envelopes came
	heard    recent[protocols.Key, time.Time] // when a next hop last answered
	resting  recent[protocols.Key, time.Time] // until when a peer that could not be dialled is let be
	paths    paths
}

// maxPeers bounds each memory about peers.
const maxPeers = 4096

// New makes a relay. Nothing moves before Run.
func New(cfg Config) (*Service, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Public == nil {
		cfg.Public = func() bool { return false }
	}
	if cfg.RolesChanged == nil {
		cfg.RolesChanged = func([]uint8) {}
	}
	limits := DefaultLimits()
	if cfg.Limits != nil {
		limits = *cfg.Limits
	}
	book, err := openBook(cfg.File, cfg.Now())
	if err != nil {
		return nil, err
	}
	s := &Service{
		cfg: cfg, limits: limits, count: newCounters(cfg.Registerer), book: book,
		ready: make(chan struct{}), wake: make(chan struct{}, 1),
		dials:    semaphore.NewWeighted(int64(limits.Dials)),
		knocks:   semaphore.NewWeighted(int64(max(limits.Dials/2, 1))),
		passages: newPassages(limits.Passages),
		queue:    fair.New[*passage](limits.Queue),
		rates:    newRates(limits),
		judge:    role.Judge{Mode: cfg.Mode},
		back:     newRecent[protocols.Key, arrival](maxPeers),
		heard:    newRecent[protocols.Key, time.Time](maxPeers),
		resting:  newRecent[protocols.Key, time.Time](maxPeers),
		paths:    newPaths(),
	}
	s.judge.Step(cfg.Now(), role.Circumstance{Public: cfg.Public()})
	return s, nil
}

// Times of the loop.
const (
	beat     = 50 * time.Millisecond // how late a deadline is noticed at most
	saveWait = 10 * time.Minute      // between two writings of what was measured
)

// Run relays until ctx ends, then waits for what it has begun and keeps what it
// has measured. It may be called once.
func (s *Service) Run(ctx context.Context) error {
	s.ctx = ctx
	close(s.ready)
	s.review()
	timer := time.NewTimer(saveWait)
	defer timer.Stop()
	saved := time.Now()
	for {
		select {
		case <-ctx.Done():
			s.mu.Lock()
			s.stopped = true
			s.mu.Unlock()
			s.work.Wait()
			s.keepBook()
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		if time.Since(saved) >= saveWait {
			saved = time.Now()
			s.keepBook()
		}
		timer.Reset(s.tick())
	}
}

// spawn runs f beside Run, which waits for it.
func (s *Service) spawn(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.work.Go(f)
	}
}

// nudge has the loop look at its times.
func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// tick ends what is late and says when to come again.
func (s *Service) tick() time.Duration {
	s.review()
	now := s.cfg.Now()
	var later acts
	s.mu.Lock()
	s.expire(&later, now)
	wait := saveWait
	if at := s.judge.Deadline(); !at.IsZero() {
		wait = min(wait, max(at.Sub(now), beat))
	}
	if len(s.passages.order) > 0 {
		wait = beat
	}
	s.mu.Unlock()
	later.do()
	return wait
}

// Review has the roles decided anew, because a circumstance has changed.
func (s *Service) Review() { s.nudge() }

func (s *Service) review() {
	public := s.cfg.Public()
	s.mu.Lock()
	before := len(s.judge.Roles())
	roles := s.judge.Step(s.cfg.Now(), role.Circumstance{Public: public, Load: s.queue.Load()})
	s.mu.Unlock()
	if len(roles) != before {
		logger.Infow("roles changed", "relay", len(roles) > 0)
		s.cfg.RolesChanged(roles)
	}
}

// Roles are the roles this node offers, as the hello and presence name them.
func (s *Service) Roles() []uint8 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.judge.Roles()
}

// Load is how busy this relay is, from 0 to 255.
func (s *Service) Load() uint8 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint8(s.queue.Load() * 255)
}

// Why explains what this node has measured of a peer.
func (s *Service) Why(p protocols.Key) reputation.Explanation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.book.Why(s.cfg.Now(), p)
}

// acts are what to do once the lock is let go of.
type acts []func()

func (a *acts) add(f func()) { *a = append(*a, f) }

func (a *acts) do() {
	for _, f := range *a {
		f()
	}
}
