package holder

import (
	"slices"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// brought remembers for a while which holders have brought an envelope, so that
// they hear of the receipt.
type brought struct {
	by    map[[16]byte][]protocols.Key
	order [][16]byte // of the first that brought it
}

// Bounds of brought.
const (
	maxBrought = 16384 // envelopes
	maxBringer = 8     // holders of one
)

func newBrought() brought { return brought{by: make(map[[16]byte][]protocols.Key)} }

// Came is told of a verified envelope for this node that a peer other than its
// author brought.
func (s *Service) Came(via protocols.Key, d envelope.Digest) {
	if !s.Offers(via) {
		return // a relay, perhaps
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, mark := &s.brought, d.Short()
	keys, known := b.by[mark]
	if slices.Contains(keys, via) || len(keys) == maxBringer {
		return
	}
	b.by[mark] = append(keys, via)
	if known {
		return
	}
	if b.order = append(b.order, mark); len(b.order) > maxBrought {
		delete(b.by, b.order[0])
		b.order = b.order[1:]
	}
}

// Signed is told of a receipt that this node has signed. The holders that have
// brought what it is about hear of it.
func (s *Service) Signed(r *ack.Receipt, raw []byte) {
	var to []protocols.Key
	s.mu.Lock()
	for _, e := range r.Entries {
		for _, p := range s.brought.by[e.Digest] {
			if !slices.Contains(to, p) {
				to = append(to, p)
			}
		}
	}
	var n backup.Number
	if to != nil {
		s.fetches.last++
		n = fetchBit | s.fetches.last // nobody waits for the answer
	}
	s.mu.Unlock()
	for _, p := range to {
		drop := &backup.Drop{Receipt: raw}
		s.count.asked(drop)
		if err := s.Lines.SendBackup(p, drop.Append(nil, n), nil); err != nil {
			logger.Debugw("receipt not sent to holder", "peer", p, "err", err)
		}
	}
}
