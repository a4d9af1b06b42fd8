package model

import (
	"slices"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Withhold lets a node, when it is hub, never take a record of which f says so:
// it answers nothing, as if it had not come.
func (w *World) Withhold(n *Node, f func(*wire.Record) bool) {
	w.lying = n
	w.deaf = func(to *Node, r *wire.Record) bool { return to == n && f(r) }
}

// withoutDeaf is the frame without what a hub that withholds does not take.
func (w *World) withoutDeaf(n *Node, f *wire.Publish) *wire.Publish {
	left := *f
	left.Records = slices.DeleteFunc(slices.Clone(f.Records), func(b []byte) bool {
		if e, err := wire.ParseEntry(b); err == nil {
			return w.deaf(n, e.Record)
		}
		r, err := wire.ParseRecord(b)
		return err == nil && w.deaf(n, r)
	})
	return &left
}

// By says of the records of a node, of all kinds or one.
func By(k protocols.Key, kind wire.Kind) func(*wire.Record) bool {
	return func(r *wire.Record) bool { return r.Author == k && (kind == 0 || r.Kind == kind) }
}
