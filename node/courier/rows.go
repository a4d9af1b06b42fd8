package courier

import (
	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
)

// messageOf is an outbox row as the machine sees it.
func messageOf(o *store.Outgoing, me protocols.Key) delivery.Message {
	return delivery.Message{
		Letter: delivery.Letter{
			ID: o.ID, From: me, To: o.To, Digest: o.Digest,
			Created: o.Created, End: o.Created.Add(o.Lifetime),
			Control: o.Control, State: delivery.Queued,
		},
		Size: len(o.Envelope), Sealed: len(o.Envelope) > 0,
		ForwardSecret: o.ForwardSecret, DemandsSecrecy: o.DemandsSecrecy, Reseals: o.Reseals,
	}
}

// statusOf is a report as it is stored.
func statusOf(r *delivery.Report) store.Status {
	st := store.Status{
		ID: r.ID, To: r.To, Created: r.Created, End: r.End, State: r.State,
		Digest: r.Digest, Control: r.Control, ForwardSecret: r.ForwardSecret,
		Reason: r.Reason, Path: r.Path, Successor: r.Successor,
		Receipt: store.ReceiptRef(r.Receipt), Attempts: r.Attempts,
	}
	st.Times[r.State] = r.At
	return st
}

// letterOf is what receipts are judged by, from what is stored.
func letterOf(st *store.Status, me protocols.Key) delivery.Letter {
	return delivery.Letter{
		ID: st.ID, From: me, To: st.To, Digest: st.Digest,
		Created: st.Created, End: st.End, Control: st.Control, State: st.State,
	}
}

// reportOf is a stored status as whoever asks sees it.
func reportOf(st *store.Status, me protocols.Key) delivery.Report {
	return delivery.Report{
		Message: delivery.Message{
			Letter: letterOf(st, me), Sealed: true,
			ForwardSecret: st.ForwardSecret, Attempts: st.Attempts,
		},
		At: st.Times[st.State], Path: st.Path, Reason: st.Reason,
		Successor: st.Successor, Receipt: uint64(st.Receipt),
	}
}
