package courier

import (
	"slices"
	"sync"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
)

// maxTrail is of how many envelopes that were carried the way is remembered.
const maxTrail = 8192

// trail remembers which neighbour brought what this node passed on, so that the
// receipt which ends it finds its way back: a receipt of kind got goes to the
// peer that the envelope came from, and on from there. The zero value is ready.
type trail struct {
	mu    sync.Mutex
	from  map[[16]byte]protocols.Key
	order [][16]byte // a ring, next the oldest
	next  int
}

// note remembers who brought an envelope.
func (t *trail) note(digest [16]byte, from protocols.Key) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.from == nil {
		t.from = make(map[[16]byte]protocols.Key)
	}
	if _, known := t.from[digest]; known {
		t.from[digest] = from
		return
	}
	t.from[digest] = from
	if len(t.order) < maxTrail {
		t.order = append(t.order, digest)
		return
	}
	delete(t.from, t.order[t.next])
	t.order[t.next] = digest
	t.next = (t.next + 1) % maxTrail
}

// back are the neighbours that brought what a receipt names. Each envelope is
// good for one way back.
func (t *trail) back(r *ack.Receipt) (peers []protocols.Key) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range r.Entries {
		p, ok := t.from[r.Entries[i].Digest]
		if !ok {
			continue
		}
		t.from[r.Entries[i].Digest] = protocols.Key{}
		if p != (protocols.Key{}) && !slices.Contains(peers, p) {
			peers = append(peers, p)
		}
	}
	return peers
}

// passBack passes a receipt of kind got on, back the way the envelope came that
// it is for. One for something that is not remembered ends here.
func (c *Courier) passBack(r *ack.Receipt, raw []byte) {
	f := ack.Frame{Receipts: [][]byte{raw}}
	for _, p := range c.trail.back(r) {
		if err := c.Lines.SendAck(p, f.Append(nil)); err != nil {
			logger.Debugw("receipt not passed back", "peer", p, "err", err)
		}
	}
}
