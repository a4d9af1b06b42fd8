package courier

import (
	"context"
	"errors"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/message"
)

// maxEnclosed is how many frames of receipts may wait to be put into envelopes.
const maxEnclosed = 64

// enclosure is a frame of receipts for an author who is away.
type enclosure struct {
	author   protocols.Key
	frame    []byte
	byRelays bool
}

var errEnclosing = errors.New("too many receipts wait for envelopes")

// enclose queues a frame of receipts to travel as an envelope. It never blocks:
// receipts for those who are connected must not wait for those who are not.
func (c *Courier) enclose(e enclosure) error {
	select {
	case c.enclosed <- e:
		return nil
	default:
		return errEnclosing
	}
}

// encloseLoop accepts what is queued. Where the outbox has no room, the receipts
// are dropped: their author asks again by sending again.
func (c *Courier) encloseLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-c.enclosed:
			d := Draft{To: e.author, Type: message.TypeReceipts, Body: e.frame, Lifetime: envelope.MaxLifetime, byRelays: e.byRelays}
			if _, err := c.accept(ctx, d, true); err != nil {
				c.Count.receiptsDropped(1)
				logger.Debugw("receipts not sent", "peer", e.author, "err", err)
			}
		}
	}
}
