// Package courier carries messages between this node's disk and its
// connections. It does what the delivery machine decides: it seals and signs
// what is sent, keeps it until the recipient has signed for it, and takes in
// what others send. The order that keeps the promises is written here once:
// persist before send; verify before decrypt; store before receipt.
//
//	Send ─ seal ─ sign in batches ─ store (synced) ─► machine ─► lines
//	lines ─ parse ─ verify ─ window ─ open ─ store (synced) ─► answer, receipt
package courier

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ipfs/go-log/v2"
	"golang.org/x/sync/semaphore"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

var logger = log.Logger("tom/courier")

// Lines is what the courier needs of the connections. Its methods may be
// called from any goroutine; only Connect and Probe block.
type Lines interface {
	// SendEnvelope queues a frame for the peer's connection and owns it from
	// then on; written is called once its bytes have left, or did not.
	SendEnvelope(p protocols.Key, frame []byte, written func(error)) error
	// SendAck queues a frame of receipts for the peer's connection.
	SendAck(p protocols.Key, frame []byte) error
	// Connected says whether a connection to the peer is open.
	Connected(p protocols.Key) bool
	// Connect dials the peer at the addresses known of it.
	Connect(ctx context.Context, p protocols.Key) error
	// Watch says whether a user's message waits for the peer: then a dead
	// connection to it should be noticed soon. It returns at once.
	Watch(p protocols.Key, waiting bool)
	// Probe tests the connections to the peer and closes those that are dead.
	Probe(ctx context.Context, p protocols.Key) (alive bool)
}

// Prekeys gives this node's current prekey record, signed.
type Prekeys interface {
	Record(s protocols.Signer) ([]byte, error)
}

// Config is what a courier works with; every field is needed unless it says
// otherwise.
type Config struct {
	Signer      protocols.Signer
	Prekeys     Prekeys
	Agreement   envelope.Agreement
	Store       *store.Store
	Lines       Lines
	Now         func() time.Time
	InDoubt     func() bool // says that Now may be wrong by hours: nothing may expire
	OutboxLimit int64       // bytes of messages that may wait for a receipt
	Router      Router      // may be nil: no relays are known
	Transit     Transit     // may be nil: what is for others is refused
	Backup      Backup      // may be nil: nobody keeps anything
	// LookUp looks for the prekey record of a peer who is not connected; it may
	// be nil.
	LookUp func(ctx context.Context, p protocols.Key) []byte
	// Own takes the content of a message of the protocol's own, tom/…, which is
	// receipted once Own has returned nil; after an error it comes again. It may
	// block, and the stream with it, and be called again with the same. It may be
	// nil: then such messages are refused.
	Own   func(from protocols.Key, contentType string, body []byte) error
	Count *Counters
}

// Courier is one node's post: outbox, inbox and receipts.
type Courier struct {
	Config
	me       protocols.Key
	sealer   *envelope.Sealer
	opener   *envelope.Opener
	verifier *envelope.Verifier
	keys     *keyring

	mail     *mailbox
	accepts  chan *acceptance
	seals    chan delivery.SealRequest
	reseals  chan envelope.ID
	enclosed chan enclosure
	room     *semaphore.Weighted // bytes free in the outbox for messages
	aside    *semaphore.Weighted // bytes free in the outbox for what carries receipts
	strange  *semaphore.Weighted // same, for strangers
	dialing  *semaphore.Weighted
	knocking *semaphore.Weighted // same, to strangers: they must keep nobody waiting
	hailing  *semaphore.Weighted // same, to relays
	looking  *semaphore.Weighted // searches for prekeys

	// cpus bounds how many envelopes are verified and opened at once over all
	// streams, so that a flood on many of them leaves time for everything else.
	cpus      chan struct{}
	receiving *semaphore.Weighted // bytes of envelopes on their way to the disk
	storing   atomic.Int64        // batches of them
	receipts  *receipts
	trail     trail
	naming    naming

	// The goroutine that owns the machine owns these too.
	frames     map[envelope.ID][]byte // encoded envelopes that are about to be sent
	frameBytes int
	held       map[envelope.ID]hold
	boarding   map[protocols.Key][]delivery.Transmit // what waits for a relay to be dialled
	told       delivery.Tally                        // in the metrics

	newRoutes atomic.Bool // the machine is about to hear of new routes

	workers sync.WaitGroup
	ctx     context.Context // ends with Run; for what was started meanwhile
	ready   chan struct{}   // closed once Run has begun
}

// hold is what a message takes of the room in the outbox until it is final.
type hold struct {
	of    *semaphore.Weighted
	bytes int64
}

// take takes the room. What is control does not wait for it.
func (h hold) take(ctx context.Context, control bool) bool {
	if control {
		return h.of.TryAcquire(h.bytes)
	}
	return h.of.Acquire(ctx, h.bytes) == nil
}

func (h hold) release() {
	if h.of != nil {
		h.of.Release(h.bytes)
	}
}

// Bounds of the courier.
const (
	maxFrameBytes = 16 << 20 // encoded envelopes kept at hand
	maxReceiving  = 16 << 20 // bytes of envelopes between verification and disk
	maxDials      = 32       // at once
	maxKnocks     = 8        // at once, to strangers
	maxSeals      = 64       // handed to each sealer at once; more wait in goroutines of their own
	maxHails      = 8        // at once, to relays
	maxLookUps    = 16       // at once
	maxBatch      = 128      // envelopes under one signature
	maxWriting    = 1        // batches of accepted messages on their way to the disk
)

// New makes a courier. Nothing moves before Run.
func New(cfg Config) *Courier {
	me := cfg.Signer.Public()
	c := &Courier{
		Config:    cfg,
		me:        me,
		sealer:    envelope.NewSealer(me, cfg.Now),
		opener:    envelope.NewOpener(me, cfg.Agreement, cfg.Now),
		verifier:  envelope.NewVerifier(cfg.Signer.Network()),
		mail:      newMailbox(),
		accepts:   make(chan *acceptance),
		seals:     make(chan delivery.SealRequest, maxSeals),
		reseals:   make(chan envelope.ID, maxSeals),
		enclosed:  make(chan enclosure, maxEnclosed),
		room:      semaphore.NewWeighted(cfg.OutboxLimit - cfg.OutboxLimit/4),
		aside:     semaphore.NewWeighted(cfg.OutboxLimit / 8),
		strange:   semaphore.NewWeighted(cfg.OutboxLimit / 8),
		dialing:   semaphore.NewWeighted(maxDials),
		knocking:  semaphore.NewWeighted(maxKnocks),
		hailing:   semaphore.NewWeighted(maxHails),
		looking:   semaphore.NewWeighted(maxLookUps),
		cpus:      make(chan struct{}, max(1, runtime.GOMAXPROCS(0))),
		receiving: semaphore.NewWeighted(maxReceiving),
		frames:    make(map[envelope.ID][]byte),
		held:      make(map[envelope.ID]hold),
		boarding:  make(map[protocols.Key][]delivery.Transmit),
		ready:     make(chan struct{}),
	}
	c.keys = newKeyring(cfg.Store, cfg.Signer.Network(), cfg.Now)
	c.receipts = newReceipts(c)
	return c
}

// Run delivers until ctx ends. It begins with what the last run left in the
// outbox.
func (c *Courier) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer c.workers.Wait()
	defer cancel()
	c.ctx = ctx
	close(c.ready)
	if err := c.resume(); err != nil {
		return err
	}
	for _, loop := range []func(context.Context){c.acceptLoop, c.sealLoop, c.resealLoop, c.encloseLoop, c.receipts.run} {
		c.workers.Go(func() { loop(ctx) })
	}
	c.machineLoop(ctx)
	return nil
}
