package model

import (
	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/seat"
	"github.com/tom-protocol/tom/groups/wire"
)

// Invite returns what an invite of the node says of the log, and which hub it
// names.
func (w *World) Invite(n *Node) (member.Root, *failover.Branch) {
	l := n.Seat.Ledger()
	last, hash := l.Log().End()
	return member.Root{Issuer: n.Key, Seq: last.Seq, Log: hash, Roster: l.Fold().Version(), RosterHash: l.Fold().Hash()}, n.Seat.Branch()
}

// Join lets one come in who was told that, and nothing else.
func (w *World) Join(r member.Root, hub *failover.Branch) *Node {
	id := len(w.Nodes)
	n := &Node{ID: id, Key: keyOf(id), root: &r, joined: w.Now, seen: make(map[wire.RecordName]int)}
	w.trace("%s joins", name(id))
	rec := w.record(n.Key, 0, wire.KindJoin, (&wire.Join{Name: name(id)}).Append(nil))
	n.disk = seat.Disk{
		Failover: failover.Durable{Current: hub}, Kept: []member.Kept{{Name: rec.Name(), Record: rec.Bytes(), Own: true}},
	}
	w.Nodes = append(w.Nodes, n)
	w.byKey[n.Key] = n
	w.start(n, false)
	return n
}

// Trusts says whether the node was never shown a log that it did not trust.
func (w *World) Trusts(n *Node) bool { return w.unrooted[n.ID] == 0 }

// Kept returns how many entries of the log the node has, in memory and on disk,
// and how long ago the oldest of them was written that is no snapshot.
func (w *World) Kept(n *Node) (memory, disk int, oldest wire.Millis) {
	at := wire.Millis(w.Now.UnixMilli())
	n.Seat.Ledger().Log().All(func(e journal.Entry) {
		if e.Record.Kind != wire.KindSnapshot && e.Record.Time < at {
			oldest = max(oldest, at-e.Record.Time)
		}
	})
	return n.Seat.Ledger().Log().Len(), len(n.disk.Log), oldest
}
