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
	// relayGrace is the same for an author whose message came by relays, for
	// they will know the way back.
	relayGrace = 20 * time.Millisecond
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
	pending map[address]*pendingReceipts
	recent  map[protocols.Key]*recentReads

	// The goroutine of run owns these.
	carried map[protocols.Key]struct{} // who has been sent the current prekeys beside receipts
}

// address is whom receipts are for, and which neighbour gets them: the same, or
// the one that brought what they are for.
type address struct{ to, by protocols.Key }

type pendingReceipts struct {
	since    time.Time // when the oldest entry came
	byRelays bool      // something came by relays
	entries  map[ack.Kind][]ack.Entry
	count    int
}

func newReceipts(c *Courier) *receipts {
	return &receipts{
		c: c, wake: make(chan struct{}, 1),
		pending: make(map[address]*pendingReceipts),
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
	r.put(address{author, author}, kind, entries)
	r.mu.Unlock()
	r.kick()
}

// got queues the receipt for an envelope that carried receipts: it is for its
// author, and goes to the peer that brought it.
func (r *receipts) got(from, author protocols.Key, e ack.Entry) {
	r.mu.Lock()
	r.put(address{author, from}, ack.Got, []ack.Entry{e})
	r.mu.Unlock()
	r.kick()
}

// hasten has the receipts for an author follow the way back that a message of
// his has come by, rather than wait for a connection.
func (r *receipts) hasten(author protocols.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.at(address{author, author}); p != nil {
		p.byRelays = true
	}
}

// at is what is pending for an address, nil if there is no room for one more.
func (r *receipts) at(to address) *pendingReceipts {
	p := r.pending[to]
	if p != nil || len(r.pending) >= maxAuthors && !r.c.Lines.Connected(to.by) {
		return p
	}
	p = &pendingReceipts{since: r.c.Now(), entries: make(map[ack.Kind][]ack.Entry)}
	r.pending[to] = p
	return p
}

func (r *receipts) put(to address, kind ack.Kind, entries []ack.Entry) {
	p := r.at(to)
	if p == nil {
		r.c.Count.receiptsDropped(len(entries))
		return
	}
	limit := maxPending
	if p.count+len(entries) > maxPendingAway && !r.c.Lines.Connected(to.by) {
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
		if again := r.flush(); again > 0 {
			timer.Reset(again)
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

// flush sends what it can and says how soon something is left to be tried, zero
// if nothing is.
func (r *receipts) flush() (again time.Duration) {
	r.mu.Lock()
	batch := r.pending
	r.pending = make(map[address]*pendingReceipts)
	r.mu.Unlock()
	for to, p := range batch {
		if r.send(to, p) {
			continue
		}
		r.restore(to, p)
		if wait := p.grace() / 2; again == 0 || wait < again {
			again = wait
		}
	}
	return again
}

// grace is how long the receipts wait for a connection to their author.
func (p *pendingReceipts) grace() time.Duration {
	if p.byRelays {
		return relayGrace
	}
	return awayGrace
}

// restore puts back what could not be sent, in front of what came meanwhile.
func (r *receipts) restore(to address, p *pendingReceipts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	newer := r.pending[to]
	r.pending[to] = p
	if newer == nil {
		return
	}
	p.byRelays = p.byRelays || newer.byRelays
	for kind, entries := range newer.entries {
		r.put(to, kind, entries)
	}
}

// send signs for one author's entries and brings them on their way: over the
// connection, or, when there is none for a while, inside envelopes that go by
// any path. It returns false if they should be tried again.
func (r *receipts) send(to address, p *pendingReceipts) bool {
	if r.c.Lines.Connected(to.by) {
		r.remember(to.to, p.entries[ack.Read])
		return r.each(to, p, func(frame []byte) error { return r.c.Lines.SendAck(to.by, frame) })
	}
	delete(p.entries, ack.Got) // it answers an envelope, and gets none of its own
	if len(p.entries) == 0 {
		return true
	}
	if r.c.Now().Sub(p.since) < p.grace() {
		return false
	}
	if len(r.c.enclosed) == cap(r.c.enclosed) {
		return false // nothing is signed in vain
	}
	return r.each(to, p, func(frame []byte) error {
		return r.c.enclose(enclosure{to.to, frame, p.byRelays})
	})
}

// each hands the frames to send until one fails. All are tried again then:
// that some go out twice harms nobody.
func (r *receipts) each(to address, p *pendingReceipts, send func([]byte) error) bool {
	for _, frame := range r.frames(to, p) {
		if err := send(frame); err != nil {
			logger.Debugw("receipts not sent", "peer", to.by, "err", err)
			return false
		}
	}
	return true
}

// frames signs the entries, at most 64 under one signature, and packs the
// receipts into frames. The first carries this node's prekeys if the author may
// not have the current ones.
func (r *receipts) frames(to address, p *pendingReceipts) [][]byte {
	var signed [][]byte
	for _, kind := range []ack.Kind{ack.Delivered, ack.Read, ack.Unopenable, ack.Got} {
		for rest := p.entries[kind]; len(rest) > 0; {
			n := min(len(rest), ack.MaxEntries)
			receipt := ack.Receipt{
				Kind: kind, From: r.c.me, To: to.to,
				Time: uint64(r.c.Now().UnixMilli()), Entries: rest[:n],
			}
			raw := ack.Sign(r.c.Signer, receipt)
			if r.c.Backup != nil {
				r.c.Backup.Signed(&receipt, raw)
			}
			signed = append(signed, raw)
			rest = rest[n:]
		}
	}
	prekeys := r.prekeysFor(to.by, len(p.entries[ack.Unopenable]) > 0)
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
