package courier

import (
	"errors"
	"time"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Acks takes in frames of receipts that a peer sent over its connection. It
// blocks while too much is waiting to be judged.
func (c *Courier) Acks(in Inbound, frames [][]byte) {
	<-c.ready // the connections may be up a moment earlier
	for _, frame := range frames {
		if err := c.Receipts(in.Peer(), frame); err != nil {
			in.Misbehaved(err)
			return
		}
	}
}

// Receipts takes in one frame of receipts that came from, or in the name of, a
// peer. Each receipt proves itself by its signature; who brought it does not
// matter.
func (c *Courier) Receipts(from protocols.Key, frame []byte) error {
	f, err := ack.ParseFrame(frame)
	if errors.Is(err, protocols.ErrFrameType) {
		return nil // of a later version
	}
	if err != nil {
		c.Count.rejected(err)
		return err
	}
	c.LearnPrekeys(from, f.Prekeys)
	var fault error // one that is no good does not spoil the others
	for _, raw := range f.Receipts {
		r, err := ack.Parse(c.Signer.Network(), raw)
		if err == nil && r.To != c.me && r.Kind == ack.Got {
			c.passBack(r, raw)
			if c.Backup != nil {
				c.Backup.Receipt(r, raw)
			}
			continue
		}
		if err != nil || r.To != c.me {
			c.Count.rejected(errForeignReceipt)
			fault = errForeignReceipt
			continue
		}
		c.mail.offer(c.ctx, func(m *delivery.Machine, now time.Time) { c.receiptCame(m, now, r, raw) })
	}
	return fault
}

// LearnPrekeys takes in a prekey record that claims to be the peer's.
func (c *Courier) LearnPrekeys(p protocols.Key, raw []byte) {
	c.LearnAllPrekeys(map[protocols.Key][]byte{p: raw})
}

// LearnAllPrekeys takes in records of many peers together.
func (c *Courier) LearnAllPrekeys(told map[protocols.Key][]byte) {
	for _, p := range c.keys.learn(told) {
		c.sealer.Forget(p)
		c.mail.put(func(m *delivery.Machine, now time.Time) { m.PrekeysKnown(now, p) })
	}
}

// Answers takes in hop answers that came back on the stream to a peer: for what
// this node has passed on, or for what it sent itself.
func (c *Courier) Answers(p protocols.Key, frames [][]byte) {
	var kept []promise
	answers := make([]envelope.Answer, 0, len(frames))
	for _, frame := range frames {
		a, err := envelope.ParseAnswer(frame)
		if err != nil {
			c.Count.rejected(err)
			continue
		}
		if c.Transit != nil && c.Transit.Answered(p, a) {
			continue
		}
		if a.Code != envelope.Stored {
			answers = append(answers, a)
			continue
		}
		storage, err := backup.ParseStorage(c.Signer.Network(), a.Storage)
		if err != nil { // it is as if it had not taken it
			c.Count.rejected(err)
			a = envelope.Answer{Digest: a.Digest, Code: envelope.Refused, Reason: envelope.ReasonNoRoute}
			answers = append(answers, a)
			continue
		}
		kept = append(kept, promise{a, storage})
	}
	if len(answers)+len(kept) == 0 {
		return
	}
	c.mail.offer(c.ctx, func(m *delivery.Machine, now time.Time) {
		for _, a := range answers {
			m.Answered(now, p, a)
		}
		for _, k := range kept {
			m.Kept(now, p, k.answer, delivery.Promise{Digest: k.storage.Digest, Holder: k.storage.Holder, End: k.storage.EndAt()})
		}
	})
}

// promise is the answer of a relay that keeps a message.
type promise struct {
	answer  envelope.Answer
	storage backup.Storage
}

// receiptCame lets the machine judge a receipt, and judges itself what the
// machine has let go of: a message may be read long after it was delivered, or
// its receipt come after its end.
func (c *Courier) receiptCame(m *delivery.Machine, now time.Time, r *ack.Receipt, raw []byte) {
	var ref uint64
	keep := func() uint64 {
		if ref == 0 {
			ref = uint64(c.Store.SaveReceipt(raw, now.Add(envelope.MaxLifetime)))
		}
		return ref
	}
	if m.Placed() > 0 {
		c.Backup.Receipt(r, raw)
	}
	unknown := m.Receipt(now, r, keep)
	if len(unknown) == 0 || !c.Store.WrittenTo(r.From) {
		return // nothing of ours is with strangers: they are not worth a look at the disk
	}
	c.mail.put(func(_ *delivery.Machine, now time.Time) { // once what the machine lets go of now is saved
		for _, i := range unknown {
			c.lateReceipt(now, r, i, keep)
		}
	})
}

func (c *Courier) lateReceipt(now time.Time, r *ack.Receipt, i int, keep func() uint64) {
	st, err := c.Store.Status(r.Entries[i].ID)
	if err != nil {
		return // no message of ours, or long gone
	}
	switch delivery.Judge(letterOf(st, c.me), r, i) {
	case delivery.Deliver:
		st.State = delivery.Delivered
	case delivery.MarkRead:
		st.State = delivery.Read
	default:
		return
	}
	st.Reason, st.Receipt = "", store.ReceiptRef(keep())
	st.Times[st.State] = now
	c.Store.SaveStatus([]store.Status{*st})
}
