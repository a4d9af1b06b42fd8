package courier

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// place has messages kept by holders.
func (c *Courier) place(all []delivery.Placement) {
	for _, p := range all {
		c.Backup.Place(backup.Item{
			Digest: p.Digest, ID: p.ID, From: c.me, To: p.To, End: p.End, Size: p.Size, Asker: c.me, Holders: p.Kept,
		})
	}
}

// Placed is told how a message stands with its holders.
func (c *Courier) Placed(id envelope.ID, p backup.Placement) {
	holders := make([]delivery.Holder, len(p.Holders))
	for i, h := range p.Holders {
		holders[i] = delivery.Holder{Key: h.Key, End: h.End, Live: h.Live}
	}
	c.mail.put(func(m *delivery.Machine, now time.Time) { m.Held(now, id, holders, p.Enough) })
}

// Fetched takes in envelopes that a holder had for this node.
func (c *Courier) Fetched(from protocols.Key, frames [][]byte) { c.Envelopes(fetched{from}, frames) }

// fetched stands for the stream of mail that this node has asked for: nobody
// waits for hop answers on it.
type fetched struct{ from protocols.Key }

func (f fetched) Peer() protocols.Key { return f.from }
func (f fetched) Path() delivery.Path { return delivery.Path{} }
func (f fetched) Answer([]byte) error { return nil }

func (f fetched) Misbehaved(err error) {
	logger.Debugw("a holder had what is no mail", "peer", f.from, "err", err)
}
