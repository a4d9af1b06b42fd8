package store

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Shredder seals bodies under keys that die with them. It must be safe for
// concurrent use.
type Shredder interface {
	// Shred seals b under the key of the minute that end falls in.
	Shred(end time.Time, b []byte) ([]byte, error)
	// Unshred opens what Shred made of the same end, while its key lives.
	Unshred(end time.Time, sealed []byte) ([]byte, error)
}

// Bounds of the store.
const (
	DefaultInboxLimit  = 256 << 20 // bytes
	DefaultOutboxLimit = 96 << 20  // bytes
	EventLife          = 24 * time.Hour
	// AfterEnd is how long the status of an expired or failed message outlives
	// the message's lifetime.
	AfterEnd = 48 * time.Hour
)

// Config is what a store is made of.
type Config struct {
	// KV holds the rows. The store closes it.
	KV kv.Store
	// Shred seals bodies. It outlives the store.
	Shred Shredder
	// Now is the time; time.Now if nil.
	Now func() time.Time
	// InboxLimit bounds the received messages kept, in bytes with overhead;
	// strangers together get half of it. DefaultInboxLimit if zero.
	InboxLimit int64
	// OutboxLimit bounds the messages to be sent, in bytes of content and
	// envelope with overhead. DefaultOutboxLimit if zero.
	OutboxLimit int64
}

// Store is a node's memory on disk. All methods are safe for concurrent use.
type Store struct {
	kv          kv.Store
	shred       Shredder
	now         func() time.Time
	inboxLimit  int64
	outboxLimit int64

	writes  writeQueue
	spare   kv.Batch      // memory for the committer's next transaction
	stopped chan struct{} // closed when the committer has returned
	closing sync.Once
	closed  error // of Close; set before stopped is closed

	mu       sync.Mutex
	counters counters                     // guarded by mu; as committed
	taken    taken                        // guarded by mu; counters and what is on its way
	outbox   map[envelope.ID]*held        // guarded by mu; bounded by outboxLimit
	flight   map[windowID]envelope.Digest // guarded by mu; window entries on their way, bounded by inboxLimit
	fresh    freshness                    // guarded by mu
	behind   behind                       // guarded by mu
	contacts map[protocols.Key]Contact    // guarded by mu
	watchers map[chan struct{}]struct{}   // guarded by mu

	written    *peerTable
	prekeys    *peerTable
	admissions *peerTable
	numbers    numbers
}

// taken is the room in use, reservations included.
type taken struct {
	outbox, inbox, strangers, said int64 // bytes
}

// windowID names an entry of the duplicate window.
type windowID struct {
	from protocols.Key
	id   envelope.ID
}

// Open reads the store in cfg.KV, brings an older layout up to date, and starts
// the committer. On an error cfg.KV stays open.
func Open(cfg Config) (*Store, error) {
	s := &Store{
		kv: cfg.KV, shred: cfg.Shred, now: cfg.Now,
		inboxLimit: cfg.InboxLimit, outboxLimit: cfg.OutboxLimit,
		stopped:  make(chan struct{}),
		outbox:   make(map[envelope.ID]*held),
		flight:   make(map[windowID]envelope.Digest),
		contacts: make(map[protocols.Key]Contact),
		watchers: make(map[chan struct{}]struct{}),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.inboxLimit == 0 {
		s.inboxLimit = DefaultInboxLimit
	}
	if s.outboxLimit == 0 {
		s.outboxLimit = DefaultOutboxLimit
	}
	s.writes.init()
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	go s.commitLoop()
	return s, nil
}

// load reads what is kept in memory.
func (s *Store) load() error {
	if err := s.migrate(); err != nil {
		return err
	}
	s.written = newPeerTable(s, tableWritten, maxWritten)
	s.prekeys = newPeerTable(s, tablePrekeys, maxPrekeys)
	s.prekeys.keep = func(k protocols.Key) bool { return !s.Stranger(k) }
	s.admissions = newPeerTable(s, tableAdmission, maxAdmissions)
	return errors.Join(
		s.loadCounters(), s.loadOutbox(), s.loadSaid(), s.loadContacts(),
		s.written.load(), s.prekeys.load(), s.admissions.load(),
	)
}

// Close commits what is queued, synced, calls every done, and closes the rows.
// Afterwards every write fails with net.ErrClosed.
func (s *Store) Close() error {
	s.closing.Do(s.writes.close)
	<-s.stopped
	return s.closed
}

// Size returns the bytes the store takes on disk.
func (s *Store) Size() int64 { return s.kv.Size() }
