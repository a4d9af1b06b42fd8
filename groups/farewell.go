package groups

import (
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Who is no member any more gets the log as far as the record that says so, and
// nothing behind it: no word of a hub alone takes anybody out of a group.

// departing says whom a record takes out of the group.
func departing(rec *wire.Record) (who protocols.Key, ok bool) {
	switch rec.Kind {
	case wire.KindLeave:
		return rec.Author, true
	case wire.KindKick:
		t, err := wire.ParseTarget(rec.Kind, rec.Payload)
		if err != nil {
			return who, false
		}
		return t.Member, true
	}
	return who, false
}

// attached takes that one has attached who may be no member any more.
func (r *room) attached(now time.Time, from protocols.Key, f *wire.AttachFrame) {
	if !r.seat.Leads() || r.seat.Ledger().Fold().Member(from) {
		return
	}
	a, err := wire.ParseAttach(r.s.cfg.Verifier, f.Attach)
	if err == nil && a.Member == from && r.seat.Ledger().Log().Has(a.Last.Seq, a.Log) {
		r.farewell(now, from, a.Last.Seq)
	}
}

// farewell sends what lies between a place and the record that took its reader
// out of the group, if this node is hub.
func (r *room) farewell(now time.Time, to protocols.Key, from wire.Seq) {
	log := r.seat.Ledger().Log()
	end := log.Seq()
	for ; end > from; end-- {
		e, ok := log.At(end)
		if !ok {
			return
		}
		if who, leaves := departing(e.Record); leaves && who == to && r.seat.Ledger().Void(end) == nil {
			break
		}
	}
	for r.seat.Leads() && from < end {
		page, last, ok := log.Page(r.id, from, end)
		if !ok {
			return
		}
		hash, _ := log.HashAt(last)
		head := wire.Head{
			Group: r.id, Term: r.seat.Branch().Term(), Seq: last, Log: hash, Time: wire.Millis(now.UnixMilli()),
		}
		page.Head = head.Sign(r.s.cfg.Signer)
		r.send(to, page.FanOut())
		from = last
	}
}
