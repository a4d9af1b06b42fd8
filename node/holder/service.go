package holder

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/ipfs/go-log/v2"
	"golang.org/x/sync/semaphore"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
)

var logger = log.Logger("tom/holder")

// Bounds of the service.
const (
	maxInputs   = 1024     // that wait for the keeper, and for the disk
	maxArriving = 16 << 20 // bytes of envelopes between verification and disk
	maxLoading  = 8        // copies that are read at once
	maxDialling = 16       // peers that are dialled at once
	dialTime    = 4 * time.Second
	seekTime    = 20 * time.Second
)

// Service is one node's part in backups. All methods are for any goroutine.
type Service struct {
	Config
	me       protocols.Key
	verifier *envelope.Verifier
	count    *counters

	inputs   chan func(k *backup.Keeper, now time.Time)
	arriving *semaphore.Weighted
	loading  *semaphore.Weighted
	dialling *semaphore.Weighted
	cpus     *semaphore.Weighted // envelopes that are verified at once
	disk     chan func()         // writes, in their order: one may wait for a key to be made
	ready    chan struct{}       // closed once Run has begun
	ctx      context.Context
	workers  sync.WaitGroup

	mu       sync.Mutex // guards what follows
	ended    bool       // nothing more is spawned
	expected map[backup.Number]expectation
	pushing  map[protocols.Key]struct{} // recipients to whom mail is on its way
	fetches  fetches
	brought  brought
}

// New makes a service. Nothing moves before Run.
func New(cfg Config) *Service {
	return &Service{
		Config:   cfg,
		me:       cfg.Signer.Public(),
		verifier: envelope.NewVerifier(cfg.Signer.Network()),
		count:    newCounters(cfg.Registerer),
		inputs:   make(chan func(*backup.Keeper, time.Time), maxInputs),
		arriving: semaphore.NewWeighted(maxArriving),
		loading:  semaphore.NewWeighted(maxLoading),
		dialling: semaphore.NewWeighted(maxDialling),
		cpus:     semaphore.NewWeighted(int64(max(1, runtime.GOMAXPROCS(0)))),
		disk:     make(chan func(), maxInputs),
		ready:    make(chan struct{}),
		expected: make(map[backup.Number]expectation),
		pushing:  make(map[protocols.Key]struct{}),
		fetches:  newFetches(),
		brought:  newBrought(),
	}
}

// Run keeps, looks after and fetches until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer s.end()
	defer cancel()
	s.ctx = ctx
	k := backup.NewKeeper(s.me, s.Limits, rand.Uint64())
	now := s.Now()
	err := s.Disk.EachKept(func(c *store.Kept) {
		if c.Receipt != nil {
			k.LoadGone(now, c.Item, c.Receipt)
		} else {
			k.Load(now, c.Item)
		}
	})
	if err != nil {
		return err
	}
	close(s.ready)
	s.mu.Lock()
	early := s.fetches.early
	s.fetches.early = nil
	s.mu.Unlock()
	for _, p := range early {
		s.knock(p, false)
	}
	s.spawn(func() { s.writeLoop(ctx) })
	s.spawn(func() { s.fetchLoop(ctx) })
	s.spawn(func() { s.provideLoop(ctx) })
	s.loop(ctx, k)
	return nil
}

// loop owns the keeper: it gives it input and time, and does what it wants done.
func (s *Service) loop(ctx context.Context, k *backup.Keeper) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case in := <-s.inputs:
			now := s.Now()
			k.Doubt(s.InDoubt())
			in(k, now)
			for more := true; more; {
				select {
				case in := <-s.inputs:
					in(k, now)
				default:
					more = false
				}
			}
		case <-timer.C:
		}
		now := s.Now()
		k.Doubt(s.InDoubt())
		k.Tick(now)
		s.act(k, now)
		timer.Reset(untilDeadline(k, now))
	}
}

// writeLoop hands to the disk what the keeper wants written, in that order.
func (s *Service) writeLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case write := <-s.disk:
			write()
		}
	}
}

// write queues a write. It blocks while too many wait.
func (s *Service) write(f func()) {
	select {
	case s.disk <- f:
	case <-s.ctx.Done():
	}
}

// untilDeadline is the wait for the keeper's next deadline, a minute at most:
// the wall clock may jump meanwhile.
func untilDeadline(k *backup.Keeper, now time.Time) time.Duration {
	at := k.Deadline()
	if at.IsZero() {
		return time.Minute
	}
	return min(max(at.Sub(now), 0), time.Minute)
}

// tell gives the keeper input. It blocks while too much waits.
func (s *Service) tell(in func(k *backup.Keeper, now time.Time)) {
	<-s.ready
	select {
	case s.inputs <- in:
	case <-s.ctx.Done():
	}
}

// ask has the keeper answer, and waits for it; false: the service ends.
func (s *Service) ask(question func(k *backup.Keeper, now time.Time)) bool {
	select {
	case <-s.ready:
	default:
		return false
	}
	done := make(chan struct{})
	s.tell(func(k *backup.Keeper, now time.Time) { question(k, now); close(done) })
	select {
	case <-done:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// spawn runs f beside Run, which waits for it; not at all once that has ended.
func (s *Service) spawn(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.workers.Go(f)
	}
}

// end waits for all that was spawned.
func (s *Service) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.workers.Wait()
}

// PeerUp is told when a peer is connected and has said what it offers.
func (s *Service) PeerUp(p protocols.Key) {
	s.later(func(k *backup.Keeper, now time.Time) { k.PeerUp(now, p) })
	if s.Offers(p) {
		s.knock(p, false)
	}
}

// PeerDown is told when the last connection to a peer is gone.
func (s *Service) PeerDown(p protocols.Key) {
	s.later(func(k *backup.Keeper, now time.Time) { k.PeerDown(now, p) })
}

// later gives the keeper input without ever blocking the caller. What comes
// before Run waits for it.
func (s *Service) later(in func(k *backup.Keeper, now time.Time)) {
	select {
	case s.inputs <- in:
	default:
		s.spawn(func() { s.tell(in) })
	}
}

// Place has a message of this node kept by others until its recipient has signed
// for it or Release is called.
func (s *Service) Place(it backup.Item) {
	s.later(func(k *backup.Keeper, now time.Time) { k.Place(now, it) })
}

// Promised says that a node has signed for keeping a message of this node, other
// than when it was asked to by this service.
func (s *Service) Promised(d envelope.Digest, holder protocols.Key, end time.Time) {
	promise := backup.Storage{Holder: holder, Digest: d, End: uint64(end.UnixMilli())}
	s.later(func(k *backup.Keeper, now time.Time) { k.Promised(now, promise) })
}

// Release says that a message of this node is final without a receipt.
func (s *Service) Release(d envelope.Digest) {
	s.later(func(k *backup.Keeper, _ time.Time) { k.Release(d) })
}

// Receipt takes a receipt for messages of this node, which is verified: their
// holders hear of it.
func (s *Service) Receipt(r *ack.Receipt, raw []byte) {
	s.later(func(k *backup.Keeper, now time.Time) { k.Receipt(now, s.me, r, raw) })
}

// Placement tells how a message of this node stands with its holders.
func (s *Service) Placement(d envelope.Digest) (p backup.Placement, ok bool) {
	s.ask(func(k *backup.Keeper, _ time.Time) { p, ok = k.Placement(d) })
	return p, ok
}

// Past tells who held a message of this node that its recipient has signed for,
// as far as that was since this node runs.
func (s *Service) Past(d envelope.Digest) (all []backup.HolderState) {
	s.ask(func(k *backup.Keeper, _ time.Time) { all = k.Past(d) })
	return all
}

// Usage sums up what this node keeps for others.
func (s *Service) Usage() (u backup.Usage) {
	s.ask(func(k *backup.Keeper, _ time.Time) { u = k.Usage() })
	return u
}

// Role says whether this node offers to keep things for others.
func (s *Service) Role() bool { return s.Mode != Off }

// leaveStep is how often Leave looks whether all is handed over.
const leaveStep = 50 * time.Millisecond

// Leave hands over what would have too few holders without this node, until ctx
// ends.
func (s *Service) Leave(ctx context.Context) {
	settled := false
	s.ask(func(k *backup.Keeper, now time.Time) { k.Leave(now) })
	tick := time.NewTicker(leaveStep)
	defer tick.Stop()
	for {
		if !s.ask(func(k *backup.Keeper, _ time.Time) { settled = k.Settled() }) || settled {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
