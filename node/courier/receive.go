package courier

import (
	"errors"
	"slices"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/message"
)

// Inbound is a stream on which a peer sends envelopes.
type Inbound interface {
	Peer() protocols.Key
	// Path is how the connection goes.
	Path() delivery.Path
	// Answer queues a hop answer.
	Answer(frame []byte) error
	// Misbehaved ends the stream.
	Misbehaved(err error)
}

// busyRetry is when a sender should try again that met a full inbox or a
// failing disk.
const busyRetry = 5 * time.Second

// arrival is an envelope that verified and opened, on its way to the disk.
type arrival struct {
	env      *envelope.Envelope
	row      *store.Incoming
	receipts bool             // it carries receipts itself
	own      *message.Content // nil: it is the application's
}

// entryOf is how a receipt names it.
func entryOf(e *envelope.Envelope) ack.Entry {
	return ack.Entry{ID: e.ID, Digest: e.Digest().Short()}
}

// Envelopes takes in frames of one stream, in order. It blocks while too much
// is on its way to the disk, and that stream with it.
func (c *Courier) Envelopes(in Inbound, frames [][]byte) {
	<-c.ready // the connections may be up a moment earlier
	var batch []arrival
	for _, frame := range frames {
		a, ok, err := c.examine(in, frame)
		if err != nil {
			c.Count.rejected(err)
			in.Misbehaved(err)
			break
		}
		if ok {
			batch = append(batch, a)
		}
	}
	if len(batch) > 0 {
		c.keep(in, batch)
	}
}

// examine parses, verifies and opens one envelope, in this order, and answers
// what is not to be kept. An error is the peer's fault; ok says that the
// arrival is to be stored.
func (c *Courier) examine(in Inbound, frame []byte) (a arrival, ok bool, err error) {
	c.cpus <- struct{}{}
	defer func() { <-c.cpus }()
	e, err := envelope.Parse(frame)
	if err != nil {
		return a, false, err
	}
	if err := c.verifier.Verify(e); err != nil {
		return a, false, err
	}
	now := c.Now()
	if e.CheckTime(now) != nil {
		c.Count.refused(envelope.ReasonClock)
		c.answer(in, e, envelope.Answer{Code: envelope.Refused, Reason: envelope.ReasonClock, Value: uint64(now.UnixMilli())})
		return a, false, nil
	}
	if e.To != c.me {
		c.carry(in, e)
		return a, false, nil
	}
	c.noteBringer(in, e)
	if !c.fresh(in, e) {
		return a, false, nil
	}
	a, ok = c.open(in, e, now)
	return a, ok, nil
}

// noteBringer remembers who brought an envelope, if not its author.
func (c *Courier) noteBringer(in Inbound, e *envelope.Envelope) {
	if in.Peer() == e.From {
		return
	}
	if _, kept := in.(fetched); c.Router != nil && !kept {
		c.Router.Came(e.From, in.Peer())
	}
	if c.Backup != nil {
		c.Backup.Came(in.Peer(), e.Digest())
	}
}

// carry passes on what is for somebody else.
func (c *Courier) carry(in Inbound, e *envelope.Envelope) {
	if c.Transit == nil {
		c.refuse(in, e, envelope.ReasonNoRoute)
		return
	}
	c.trail.note(e.Digest().Short(), in.Peer())
	c.Transit.Carry(in, e)
}

// fresh says that an envelope is not in the duplicate window. One that is gets
// its receipt again; another one under the same id is refused.
func (c *Courier) fresh(in Inbound, e *envelope.Envelope) bool {
	digest, window, err := c.Store.Seen(e.From, e.ID)
	switch {
	case err != nil:
		c.busy(in, e)
	case window == store.Fresh:
		return true
	case digest != e.Digest():
		c.refuse(in, e, envelope.ReasonConflict)
	case window == store.InFlight: // the first copy gets the answer
	default:
		c.Count.duplicate()
		c.answer(in, e, envelope.Answer{Code: envelope.Taken})
		c.receipt(in, e, c.carriesReceipts(e))
	}
	return false
}

// carriesReceipts says what kind of receipt a copy is to have, of what is
// stored already.
func (c *Courier) carriesReceipts(e *envelope.Envelope) bool {
	content, err := message.Open(c.opener, e)
	return err == nil && content.Type == message.TypeReceipts
}

// receipt signs for an envelope that is on disk: for a message the receipt goes
// to its author; for an envelope that carries receipts itself, to the peer that
// brought it.
func (c *Courier) receipt(in Inbound, e *envelope.Envelope, carriesReceipts bool) {
	if carriesReceipts {
		c.receipts.got(in.Peer(), e.From, entryOf(e))
		return
	}
	c.sign(in, e, ack.Delivered)
}

// sign queues a receipt for an envelope's author, who may have to be reached by
// the way the envelope came.
func (c *Courier) sign(in Inbound, e *envelope.Envelope, kind ack.Kind) {
	if in.Peer() != e.From {
		c.receipts.hasten(e.From)
	}
	c.receipts.add(e.From, kind, entryOf(e))
}

// open decrypts an envelope and makes its inbox row. One that no key here opens
// is answered so, for its author has to seal it anew.
func (c *Courier) open(in Inbound, e *envelope.Envelope, now time.Time) (a arrival, ok bool) {
	content, err := message.Open(c.opener, e)
	switch {
	case errors.Is(err, message.ErrContent):
		c.Count.rejected(err)
		c.refuse(in, e, envelope.ReasonPolicy)
		return a, false
	case err != nil:
		c.Count.rejected(err)
		c.answer(in, e, envelope.Answer{Code: envelope.Taken})
		c.sign(in, e, ack.Unopenable)
		return a, false
	}
	a = arrival{env: e, row: &store.Incoming{
		ID: e.ID, From: e.From, Digest: e.Digest(),
		Created: e.CreatedAt(), End: e.End(), Received: now, Path: pathOf(in, e),
		Stranger: c.Store.Stranger(e.From), Muted: c.Store.Muted(e.From),
	}}
	if content.Type == message.TypeReceipts {
		a.row.Hidden, a.receipts = true, true
		_ = c.Receipts(e.From, content.Body) // its faults are counted there
		return a, true
	}
	if ours(content.Type) {
		if c.Own == nil {
			c.refuse(in, e, envelope.ReasonPolicy)
			return a, false
		}
		a.row.Hidden, a.own = true, &content
		return a, true
	}
	a.row.Content = content.AppendUnpadded(make([]byte, 0, contentCap(&content)))
	return a, true
}

// pathOf is how an envelope came here.
func pathOf(in Inbound, e *envelope.Envelope) string {
	if _, kept := in.(fetched); kept {
		return "holder"
	}
	if in.Peer() != e.From {
		return delivery.WayRelays.String()
	}
	return in.Path().String()
}

// keep stores a batch and, once it is synced, answers and signs for it.
func (c *Courier) keep(in Inbound, batch []arrival) {
	if batch = c.handOwn(in, batch); len(batch) == 0 {
		return
	}
	var size int64
	rows := make([]*store.Incoming, len(batch))
	for i, a := range batch {
		rows[i] = a.row
		size += int64(len(a.env.Body))
	}
	size = min(size, maxReceiving)
	if c.receiving.Acquire(c.ctx, size) != nil {
		return
	}
	c.storing.Add(1)
	c.Store.Receive(rows, func(_ store.Cursor, err error) {
		c.storing.Add(-1)
		c.receiving.Release(size)
		if err != nil {
			logger.Errorw("inbox not written", "err", err)
		}
		for _, a := range batch {
			c.kept(in, a, err)
		}
	})
}

// handOwn hands over what is the protocol's own, and keeps those that were taken.
func (c *Courier) handOwn(in Inbound, batch []arrival) []arrival {
	return slices.DeleteFunc(batch, func(a arrival) bool {
		if a.own == nil {
			return false
		}
		err := c.Own(a.env.From, a.own.Type, a.own.Body)
		if err != nil {
			logger.Debugw("own message not taken", "peer", a.env.From, "type", a.own.Type, "err", err)
			c.busy(in, a.env)
		}
		return err != nil
	})
}

// kept answers for one arrival after its write has ended.
func (c *Courier) kept(in Inbound, a arrival, err error) {
	switch {
	case a.row.Outcome == store.Duplicate:
		c.overtaken(in, a.env)
	case a.row.Outcome == store.NoRoom || err != nil:
		c.busy(in, a.env)
	default:
		c.Count.received()
		c.answer(in, a.env, envelope.Answer{Code: envelope.Taken})
		c.receipt(in, a.env, a.receipts)
	}
}

// overtaken answers for an arrival that another one under its id came before,
// since it was examined. A copy of it is answered as such.
func (c *Courier) overtaken(in Inbound, e *envelope.Envelope) {
	digest, window, err := c.Store.Seen(e.From, e.ID)
	if err == nil && window != store.Fresh && digest != e.Digest() {
		c.refuse(in, e, envelope.ReasonConflict)
	}
}

func (c *Courier) refuse(in Inbound, e *envelope.Envelope, why envelope.Reason) {
	c.Count.refused(why)
	c.answer(in, e, envelope.Answer{Code: envelope.Refused, Reason: why})
}

func (c *Courier) busy(in Inbound, e *envelope.Envelope) {
	c.Count.busied()
	c.answer(in, e, envelope.Answer{Code: envelope.Busy, RetryMillis: uint64(busyRetry.Milliseconds())})
}

// answer sends a hop answer; if it does not get through, the envelope comes
// again.
func (c *Courier) answer(in Inbound, e *envelope.Envelope, a envelope.Answer) {
	a.Digest = e.Digest().Short()
	if err := in.Answer(a.Append(make([]byte, 0, 48))); err != nil {
		logger.Debugw("hop answer not sent", "peer", in.Peer(), "err", err)
	}
}
