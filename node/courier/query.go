package courier

import (
	"context"
	"errors"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// ErrUnknown is returned for a message that this node did not send, or whose
// end is long past.
var ErrUnknown = errors.New("no such message was sent from here, or it is long gone")

// Status tells how a message of this node's stands. One that was sealed anew
// follows its successor: Report is the successor's, under the successor's id.
func (c *Courier) Status(ctx context.Context, id envelope.ID) (delivery.Report, error) {
	for range maxSuccessors {
		r, err := c.Trace(ctx, id)
		if err != nil || r.Successor == (envelope.ID{}) || r.State.Receipted() {
			return r, err
		}
		id = r.Successor
	}
	return delivery.Report{}, ErrUnknown
}

// maxSuccessors is more than the machine seals one content anew.
const maxSuccessors = 8

// Trace tells how the message of exactly this id stands, with every attempt.
func (c *Courier) Trace(ctx context.Context, id envelope.ID) (delivery.Report, error) {
	var live delivery.Report
	var ok bool
	err := c.ask(ctx, func(m *delivery.Machine) { live, ok = m.Report(id) })
	if err != nil {
		return live, err
	}
	if ok {
		return live, nil
	}
	// What has just become final is handed to the store before the next question
	// is answered.
	if err := c.ask(ctx, func(*delivery.Machine) {}); err != nil {
		return live, err
	}
	st, err := c.Store.Status(id)
	if errors.Is(err, store.ErrNotFound) {
		return live, ErrUnknown
	}
	if err != nil {
		return live, err
	}
	return reportOf(st, c.me), nil
}

// Counts says how many messages are queued or sent, and how many wait with
// others.
func (c *Courier) Counts(ctx context.Context) (queued, waiting int, err error) {
	err = c.ask(ctx, func(m *delivery.Machine) { queued, waiting = m.Counts() })
	return queued, waiting, err
}

// MarkRead marks inbox rows as read and sends their authors read receipts.
func (c *Courier) MarkRead(rows []store.Cursor) error {
	read, err := c.Store.MarkRead(c.Now(), rows...)
	if err != nil {
		return err
	}
	for _, in := range read {
		c.receipts.add(in.From, ack.Read, ack.Entry{ID: in.ID, Digest: in.Digest.Short()})
	}
	return nil
}

// resume gives the machine what the last run left in the outbox.
func (c *Courier) resume() error {
	return c.Store.Pending(func(o *store.Outgoing, st *store.Status, size int) error {
		msg := messageOf(o, c.me)
		msg.Size, msg.Sealed = size, size > 0
		msg.State, msg.Attempts, msg.Kept = st.State, st.Attempts, o.Holders
		h := c.holdFor(o.To, o.Control, size)
		if !h.of.TryAcquire(h.bytes) {
			h = hold{} // it was accepted: over the limit or not
		}
		c.mail.put(func(m *delivery.Machine, now time.Time) {
			c.held[msg.ID] = h
			c.handOver(m, now, msg)
		})
		return nil
	})
}
