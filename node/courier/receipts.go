package courier

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
)

const (
	// awayGrace is how long receipts for an author who is not connected wait
	// for a connection before they travel as an envelope.
	awayGrace = 2 * time.Second
	// gatherTime is how long receipts may wait for the writes under way.
	gatherTime = 2 * time.Millisecond
	// maxPending is how many receipt entries may wait for one author who is
	// connected, maxPendingAway for one who is not, and maxAuthors for how many
	// of those. What does not fit is dropped: its author asks again by sending
	// again.
	maxPending     = 8192
	maxPendingAway = 256
	maxAuthors     = 4096
	// receiptsPerFrame keeps a frame of receipts, prekeys included, far below
	// what a stream takes.
	receiptsPerFrame = 16
)

// receipts signs for what this node has received. It batches what is pending
// when the signer is free: up to 64 ids under one signature.
type receipts struct {
	c    *Courier
	wake chan struct{}

	renew atomic.Bool // this node's prekeys have changed

	mu      sync.Mutex
	pending map[protocols.Key]*pendingReceipts
	recent  map[protocols.Key]*recentReads

	// The goroutine of run owns these.
	carried map[protocols.Key]struct{} // who has been sent the current prekeys beside receipts
}

type pendingReceipts struct {
	since   time.Time // when the oldest entry came
	entries map[ack.Kind][]ack.Entry
	count   int
}

func newReceipts(c *Courier) *receipts {
	return &receipts{
		c: c, wake: make(chan struct{}, 1),
		pending: make(map[protocols.Key]*pendingReceipts),
		recent:  make(map[protocols.Key]*recentReads),
		carried: make(map[protocols.Key]struct{}),
	}
}

// add queues receipts of a kind for an author.
func (r *receipts) add(author protocols.Key, kind ack.Kind, entries ...ack.Entry) {
	if len(entries) == 0 {
		return
	}
	r.mu.Lock()
	r.put(author, kind, entries)
	r.mu.Unlock()
	r.kick()
}

// got queues the receipt for an envelope that carried receipts: it is for its
// author, by way of the peer that brought it.
func (r *receipts) got(from, author protocols.Key, e ack.Entry) {
	if from == author {
		r.add(author, ack.Got, e)
	}
}

func (r *receipts) put(author protocols.Key, kind ack.Kind, entries []ack.Entry) {
	p := r.pending[author]
	if p == nil {
		if len(r.pending) >= maxAuthors && !r.c.Lines.Connected(author) {
			r.c.Count.receiptsDropped(len(entries))
			return
		}
		p = &pendingReceipts{since: r.c.Now(), entries: make(map[ack.Kind][]ack.Entry)}
		r.pending[author] = p
	}
	limit := maxPending
	if p.count+len(entries) > maxPendingAway && !r.c.Lines.Connected(author) {
		limit = maxPendingAway
	}
	if room := max(limit-p.count, 0); len(entries) > room {
		r.c.Count.receiptsDropped(len(entries) - room)
		entries = entries[:room]
	}
	p.entries[kind] = append(p.entries[kind], entries...)
	p.count += len(entries)
}

// kick makes run look at once.
func (r *receipts) kick() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run sends what is pending until ctx ends.
func (r *receipts) run(ctx context.Context) {
	timer := time.NewTimer(awayGrace)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
			r.gather(ctx)
		case <-timer.C:
		}
		if r.flush() {
			timer.Reset(awayGrace / 2)
		}
	}
}

// gather waits, for no longer than gatherTime, while more messages are being
// stored: one signature will do for all of them. With nothing under way it
// returns at once.
func (r *receipts) gather(ctx context.Context) {
	if r.c.storing.Load() == 0 {
		return
	}
	deadline := time.NewTimer(gatherTime)
	defer deadline.Stop()
	for r.c.storing.Load() > 0 {
		select {
		case <-r.wake:
		case <-deadline.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// flush sends what it can and says whether something is left to be tried.
func (r *receipts) flush() (left bool) {
	r.mu.Lock()
	batch := r.pending
	r.pending = make(map[protocols.Key]*pendingReceipts)
	r.mu.Unlock()
	for author, p := range batch {
		if !r.send(author, p) {
			r.restore(author, p)
			left = true
		}
	}
	return left
}

// restore puts back what could not be sent, in front of what came meanwhile.
func (r *receipts) restore(author protocols.Key, p *pendingReceipts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	newer := r.pending[author]
	r.pending[author] = p
	if newer == nil {
		return
	}
	for kind, entries := range newer.entries {
		r.put(author, kind, entries)
	}
}

// send signs for one author's entries and brings them on their way: over the
// connection, or, when there is none for a while, inside envelopes that go by
// any path. It returns false if they should be tried again.
func (r *receipts) send(author protocols.Key, p *pendingReceipts) bool {
	if r.c.Lines.Connected(author) {
		r.remember(author, p.entries[ack.Read])
		return r.each(author, p, func(frame []byte) error { return r.c.Lines.SendAck(author, frame) })
	}
	if r.c.Now().Sub(p.since) < awayGrace {
		return false
	}
	if len(r.c.enclosed) == cap(r.c.enclosed) {
		return false // nothing is signed in vain
	}
	delete(p.entries, ack.Got) // it answers an envelope, and gets none of its own
	return r.each(author, p, func(frame []byte) error { return r.c.enclose(author, frame) })
}

// each hands the frames to send until one fails. All are tried again then:
// that some go out twice harms nobody.
func (r *receipts) each(author protocols.Key, p *pendingReceipts, send func([]byte) error) bool {
	for _, frame := range r.frames(author, p) {
		if err := send(frame); err != nil {
			logger.Debugw("receipts not sent", "peer", author, "err", err)
			return false
		}
	}
	return true
}

// frames signs the entries, at most 64 under one signature, and packs the
// receipts into frames. The first carries this node's prekeys if the author may
// not have the current ones.
func (r *receipts) frames(author protocols.Key, p *pendingReceipts) [][]byte {
	var signed [][]byte
	for _, kind := range []ack.Kind{ack.Delivered, ack.Read, ack.Unopenable, ack.Got} {
		for rest := p.entries[kind]; len(rest) > 0; {
			n := min(len(rest), ack.MaxEntries)
			signed = append(signed, ack.Sign(r.c.Signer, ack.Receipt{
				Kind: kind, From: r.c.me, To: author,
				Time: uint64(r.c.Now().UnixMilli()), Entries: rest[:n],
			}))
			rest = rest[n:]
		}
	}
	prekeys := r.prekeysFor(author, len(p.entries[ack.Unopenable]) > 0)
	var frames [][]byte
	for len(signed) > 0 {
		n := min(len(signed), receiptsPerFrame)
		f := ack.Frame{Receipts: signed[:n], Prekeys: prekeys}
		frames = append(frames, f.Append(nil))
		signed, prekeys = signed[n:], nil
	}
	return frames
}

func (r *receipts) prekeysFor(author protocols.Key, always bool) []byte {
	if r.renew.Swap(false) {
		clear(r.carried)
	}
	if _, done := r.carried[author]; done && !always {
		return nil
	}
	record, err := r.c.Prekeys.Record(r.c.Signer)
	if err != nil {
		logger.Warnw("no prekey record to send", "err", err)
		return nil
	}
	if len(r.carried) >= maxAuthors {
		clear(r.carried)
	}
	r.carried[author] = struct{}{}
	return record
}
