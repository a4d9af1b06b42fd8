package groups

import (
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// waits tells the seat whether a message's key is missing, for receipts.
func (r *room) waits(now time.Time, rec *wire.Record, waits bool) {
	if seq, ok := r.seat.Ledger().Log().Find(rec.Name()); ok {
		r.seat.Waits(now, seq, waits)
	}
}

// holds is how far a member's log goes, and how far it was read there, by its
// newest receipt.
func (r *room) holds(k protocols.Key) (to, read wire.Seq) {
	if x := r.seat.Receipt(k); x != nil {
		return x.Last.Seq, x.Read
	}
	return 0, 0
}
