package courier

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/message"
)

// sealNow seals a message that is about to be accepted, if a prekey of its
// recipient is at hand; else the machine has it sealed later.
func (c *Courier) sealNow(a *acceptance, content *message.Content) (err error) {
	to, ok := c.keys.choose(a.row.To, a.row.Created)
	if !ok {
		return nil
	}
	a.sealed, err = c.seal(to, &a.row, content)
	a.row.ForwardSecret = err == nil
	return err
}

// seal seals the content of an outbox row under the row's id. The envelope has
// no proof yet.
func (c *Courier) seal(to envelope.Recipient, out *store.Outgoing, content *message.Content) (*envelope.Envelope, error) {
	padded := content.Append(make([]byte, 0, message.PaddedLen(contentCap(content))))
	e, err := c.sealer.Seal(to, out.ID, out.Created, out.Lifetime, padded)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return e, nil
}

// sealLoop seals messages that were accepted before a prekey was at hand.
func (c *Courier) sealLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case req := <-c.seals:
			c.sealLater(req)
		}
	}
}

// sealLater seals one accepted message and stores the envelope beside it.
func (c *Courier) sealLater(req delivery.SealRequest) {
	failed := func(err error) {
		logger.Debugw("message not sealed", "env", req.ID, "err", err)
		c.mail.put(func(m *delivery.Machine, now time.Time) { m.SealFailed(now, req.ID, err.Error()) })
	}
	out, content, err := c.load(req.ID)
	if err != nil {
		failed(err)
		return
	}
	to, forwardSecret, err := c.recipient(req)
	if err != nil {
		failed(err)
		return
	}
	e, err := c.seal(to, out, &content)
	if err != nil {
		failed(err)
		return
	}
	envelope.Sign(c.Signer, []*envelope.Envelope{e})
	frame := e.Append(nil)
	c.Store.SetSealed(out.ID, frame, e.Digest(), forwardSecret, func(err error) {
		if err != nil {
			failed(fmt.Errorf("store: %w", err))
			return
		}
		c.mail.put(func(m *delivery.Machine, now time.Time) {
			if _, live := m.Report(out.ID); live {
				c.keepFrame(out.ID, frame)
			}
			m.Sealed(now, out.ID, e.Digest(), len(frame), forwardSecret)
		})
	})
}

var errNoPrekey = errors.New("no prekey of the recipient is known")

// recipient is the key to seal to: a prekey, or, if none came in time, the
// identity key.
func (c *Courier) recipient(req delivery.SealRequest) (to envelope.Recipient, forwardSecret bool, err error) {
	if to, ok := c.keys.choose(req.To, c.Now()); ok {
		return to, true, nil
	}
	if !req.ToIdentity {
		return to, false, errNoPrekey
	}
	to, err = envelope.IdentityRecipient(req.To)
	return to, false, err
}

// load reads an outbox row and its content.
func (c *Courier) load(id envelope.ID) (*store.Outgoing, message.Content, error) {
	out, err := c.Store.Load(id)
	if err != nil {
		return nil, message.Content{}, fmt.Errorf("read outbox: %w", err)
	}
	content, _, err := message.ParseUnpadded(out.Content)
	if err != nil {
		return nil, message.Content{}, fmt.Errorf("read content: %w", err)
	}
	return out, content, nil
}

// resealLoop seals the content of messages that their recipient could not open
// once more, under new ids.
func (c *Courier) resealLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-c.reseals:
			if err := c.reseal(id); err != nil {
				logger.Warnw("message not sealed anew", "env", id, "err", err)
			}
		}
	}
}

// reseal accepts a successor with what is left of the lifetime, and then lets
// the old message point to it.
func (c *Courier) reseal(id envelope.ID) error {
	old, content, err := c.load(id)
	if err != nil {
		return err
	}
	now := c.Now().Truncate(time.Millisecond)
	left := old.Created.Add(old.Lifetime).Sub(now).Truncate(time.Second)
	if left < time.Second {
		return nil // it expires in a moment
	}
	a := &acceptance{done: make(chan error, 1), row: *old}
	a.row.ID, a.row.Created, a.row.Lifetime = envelope.NewID(now), now, left
	a.row.Reseals, a.row.Supersedes = old.Reseals+1, id
	a.row.Envelope, a.row.Digest, a.row.ForwardSecret = nil, envelope.Digest{}, false
	if err := c.sealNow(a, &content); err != nil { // prekeys came with the word that it cannot be opened
		return err
	}
	select {
	case c.accepts <- a:
	case <-c.ctx.Done():
		return nil
	}
	if err := <-a.done; err != nil {
		return fmt.Errorf("store: %w", err)
	}
	c.mail.put(func(m *delivery.Machine, now time.Time) {
		h := c.held[id]
		delete(c.held, id)
		if _, live := m.Report(a.row.ID); live {
			c.held[a.row.ID] = h
		} else {
			h.release()
		}
		m.Succeeded(now, id, a.row.ID)
	})
	return nil
}
