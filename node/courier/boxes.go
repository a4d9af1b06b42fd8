package courier

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/message"
)

// A box is an envelope that its author neither keeps nor tries again, and that nobody
// signs for: what it brings is asked for by whom it does not reach. Whoever makes one
// sees to the way that it takes.

// Box seals a message of the protocol's own for those of some peers whose prekeys are
// at hand, each its own, with one signature for many.
func (c *Courier) Box(to []protocols.Key, contentType string, body []byte, life time.Duration) map[protocols.Key][]byte {
	now := c.Now().Truncate(time.Millisecond)
	content := message.Content{Type: contentType, Body: body}
	padded := content.Append(make([]byte, 0, message.PaddedLen(contentCap(&content))))
	boxes := make(map[protocols.Key][]byte, len(to))
	for part := range slices.Chunk(to, maxBatch) {
		sealed := make([]*envelope.Envelope, 0, len(part))
		for _, p := range part {
			r, ok := c.keys.choose(p, now)
			if !ok {
				continue
			}
			e, err := c.sealer.Seal(r, envelope.NewID(now), now, life, padded)
			if err != nil {
				logger.Debugw("box not sealed", "peer", p, "err", err)
				continue
			}
			sealed = append(sealed, e)
		}
		if len(sealed) == 0 {
			continue
		}
		envelope.Sign(c.Signer, sealed)
		for _, e := range sealed {
			boxes[e.To] = e.Append(make([]byte, 0, len(e.Body)+rowOverhead))
		}
	}
	return boxes
}

// Unbox opens a box for this node, whose signature is verified.
func (c *Courier) Unbox(e *envelope.Envelope) (contentType string, body []byte, err error) {
	if err := e.CheckTime(c.Now()); err != nil {
		return "", nil, err
	}
	content, err := message.Open(c.opener, e)
	return content.Type, content.Body, err
}

// PrekeysOf is the newest prekey record that is known of a peer; nil if none is.
func (c *Courier) PrekeysOf(p protocols.Key) []byte {
	if r := c.keys.record(p, c.Now()); r != nil {
		return r.Bytes()
	}
	return nil
}
