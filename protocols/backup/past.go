package backup

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/internal/timers"
)

// maxPast is of how many own messages that were delivered the holders are
// remembered.
const maxPast = 4096

// past is who held own messages that their recipients have signed for, until
// their end or the node's.
type past struct {
	of    map[envelope.Digest]*bygone
	order []envelope.Digest // the oldest first; some may be gone
}

type bygone struct {
	holders []HolderState
	ending  timers.Timer
}

func newPast() past { return past{of: make(map[envelope.Digest]*bygone)} }

// bury remembers who held an own message that has ended by a receipt, which from
// has brought.
func (k *Keeper) bury(e *entry, from protocols.Key) {
	if len(e.holders) == 0 {
		return
	}
	b := &bygone{}
	for i := range e.holders {
		s := &e.holders[i]
		b.holders = append(b.holders, HolderState{Key: s.fellow.key, End: s.end, Told: s.fellow.key == from})
	}
	b.ending.Fire = func(time.Time) { delete(k.past.of, e.Digest) }
	k.timers.Arm(&b.ending, e.End)
	k.past.of[e.Digest] = b
	k.past.order = append(k.past.order, e.Digest)
	for len(k.past.order) > maxPast {
		if old, ok := k.past.of[k.past.order[0]]; ok {
			k.timers.Stop(&old.ending)
			delete(k.past.of, k.past.order[0])
		}
		k.past.order = k.past.order[1:]
	}
}

// told notes that a holder has the receipt for own messages.
func (k *Keeper) told(p protocols.Key, digests []envelope.Digest) {
	for _, d := range digests {
		b := k.past.of[d]
		if b == nil {
			continue
		}
		for i := range b.holders {
			if b.holders[i].Key == p {
				b.holders[i].Told = true
			}
		}
	}
}

// Past tells who held an own message that its recipient has signed for since
// this node runs, and who of them has heard of it.
func (k *Keeper) Past(d envelope.Digest) []HolderState {
	if b := k.past.of[d]; b != nil {
		return append([]HolderState(nil), b.holders...)
	}
	return nil
}
