package groups

import (
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// declineWords say why a relay does not serve a group.
var declineWords = map[envelope.Reason]string{
	envelope.ReasonPolicy: "its user does not want it to, or not for this admin",
	envelope.ReasonQuota:  "it serves as many groups as it may",
	envelope.ReasonSize:   "the group's log is too large for it",
}

// declined notes that a relay does not take the seat that it was offered.
func (r *room) declined(from protocols.Key, f *wire.Refused) {
	words := declineWords[f.Reason]
	if f.Record != (wire.RecordID{}) || words == "" || !r.seat.Ledger().Fold().Relay(from) || r.declines[from] == f.Reason {
		return
	}
	if r.declines == nil || len(r.declines) > 2*wire.MaxHubRelays { // of some that are listed no more
		r.declines = make(map[protocols.Key]envelope.Reason)
	}
	r.declines[from] = f.Reason
	r.tell(Event{What: Declined, Peer: from, Detail: words})
}

// listed offers a seat to the relays that this node has listed, past the hub: if
// they decline, it is told by themselves.
func (r *room) listed(rec *wire.Record) {
	if rec.Kind == wire.KindSettings && rec.Author == r.s.self {
		r.seat.Offer()
		r.again = true
	}
}

// relayInfo is what this node knows of a relay. One that is in the chain serves.
func (r *room) relayInfo(now time.Time, k protocols.Key) RelayInfo {
	b := r.seat.Branch().Record
	if k == b.Primary || b.Names(k) || r.seat.Present(now, k) {
		delete(r.declines, k)
	}
	return RelayInfo{Node: k, Online: r.s.cfg.Lines.Connected(k), Declines: declineWords[r.declines[k]]}
}
