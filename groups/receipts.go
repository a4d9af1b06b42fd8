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
// newest receipt about a record of this node's.
func (r *room) holds(k protocols.Key) (to, read wire.Seq) {
	x := r.receipts[k]
	if x == nil || !r.seat.Ledger().Log().Has(x.Last.Seq, x.Log) {
		return 0, 0
	}
	return x.Last.Seq, x.Read
}
