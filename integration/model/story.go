package model

import (
	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/wire"
)

// Named returns the node of a name, nil if there is none.
func (w *World) Named(s string) *Node {
	for _, n := range w.Nodes {
		if name(n.ID) == s {
			return n
		}
	}
	return nil
}

// Kick lets a node, as admin, kick another.
func (w *World) Kick(admin, of *Node) wire.RecordName {
	w.trace("%s kicks %s", name(admin.ID), name(of.ID))
	admin.written++
	names, _ := admin.Seat.Ledger().Fold().Names(of.Key)
	r, _ := w.publish(admin, wire.KindKick, (&wire.Target{Kind: wire.KindKick, Member: of.Key, Names: names}).Append(nil))
	return r
}

// Resign lets a hub stop cleanly: it hands over, and is gone as soon as that has
// left.
func (w *World) Resign(n *Node) bool {
	ok := n.Seat.Resign(w.clock(n))
	w.trace("%s resigns", name(n.ID))
	w.act(n)
	w.Crash(n, false)
	return ok
}

// TellLog traces the log of a node.
func (w *World) TellLog(n *Node) {
	w.trace("the log of %s:", name(n.ID))
	l := n.Seat.Ledger()
	l.Log().All(func(e journal.Entry) {
		if e.Record.Kind == wire.KindJoin {
			return
		}
		mark, was := "", ""
		if err := l.Void(e.Place.Seq); err != nil {
			mark = ", void: " + err.Error()
		}
		if e.Old != nil {
			was = ", once at"
		}
		if was == "" {
			w.trace("  (%d, %d) %s: %v %d%s", e.Place.Number, e.Place.Seq, w.nameOf(e.Record.Author), e.Record.Kind, e.Record.ID[0], mark)
		} else {
			w.trace("  (%d, %d) %s: %v %d%s (%d, %d)%s", e.Place.Number, e.Place.Seq, w.nameOf(e.Record.Author), e.Record.Kind, e.Record.ID[0], was, e.Old.Number, e.Old.Seq, mark)
		}
	})
}
