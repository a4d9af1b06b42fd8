package model

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/seat"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// relay is a node that is no member and may be hub, as its service would have it:
// it takes a seat when it is offered one, and leaves it when it is listed no more.
type relay struct {
	lister  protocols.Key // by whom it has a seat; zero: it has none
	listed  bool          // its log has said so
	leaving bool
}

func (r *relay) by() protocols.Key {
	if r == nil {
		return protocols.Key{}
	}
	return r.lister
}

func (r *relay) idle() bool { return r != nil && r.lister == protocols.Key{} }

// relaysOf are the relays that the charter lists.
func relaysOf(o Options) []protocols.Key {
	if !o.Relay {
		return []protocols.Key{}
	}
	return []protocols.Key{keyOf(o.Nodes)}
}

// relay makes the node that is the relay.
func (w *World) relay() *Node {
	n := &Node{ID: len(w.Nodes), Key: keyOf(len(w.Nodes)), relay: new(relay), seen: make(map[wire.RecordName]int)}
	w.Nodes = append(w.Nodes, n)
	w.byKey[n.Key] = n
	return n
}

// Relay makes a node that would serve a group, if one lists it.
func (w *World) Relay() *Node { return w.relay() }

// List changes the settings: an admin lists relays, or none any more.
func (w *World) List(admin *Node, relays ...*Node) wire.RecordName {
	s := admin.Seat.Ledger().Fold().Settings()
	s.HubRelays = []protocols.Key{}
	for _, n := range relays {
		s.HubRelays = append(s.HubRelays, n.Key)
	}
	w.trace("%s lists %d relays", name(admin.ID), len(relays))
	admin.written++
	r, _ := w.publish(admin, wire.KindSettings, s.Append(nil))
	return r
}

// takes says whether a relay takes a seat that it is offered: it has none, or none
// that has got it anywhere.
func (w *World) takes(n *Node) bool {
	return n.relay.idle() || n.relay != nil && n.Up && !n.Paused && !n.relay.leaving && n.Seat.Forlorn(w.clock(n))
}

// serve takes a seat that is offered.
func (w *World) serve(n *Node, f *wire.Offer) {
	o, err := seat.ParseOffer(verifier{"model"}, prover{}, n.Key, f)
	if err != nil || o.Branch.Primary() == n.Key {
		w.broke("%s is offered what it cannot take: %v", name(n.ID), err)
		return
	}
	w.trace("%s takes a seat", name(n.ID))
	n.relay.lister, n.joined = o.Lister, w.Now
	n.disk = seat.Disk{Failover: failover.Durable{Current: o.Branch}}
	w.start(n, false)
}

// served sees whether a record has ended the relay's time.
func (w *World) served(n *Node, r *wire.Record) {
	if n.relay == nil {
		return
	}
	fold := n.Seat.Ledger().Fold()
	n.relay.listed = n.relay.listed || fold.Relay(n.Key)
	if fold.Dissolved() || n.relay.listed && !fold.Relay(n.Key) {
		w.dismiss(n)
	}
}

// dismissal is how long a relay that may be none any more stays to let go of what is
// under way.
const dismissal = 3 * time.Second

// dismiss ends a relay's time. It hands over, and forgets all.
func (w *World) dismiss(n *Node) {
	if n.relay == nil || n.relay.leaving {
		return
	}
	w.trace("%s is to be hub no more", name(n.ID))
	n.relay.leaving = true
	if n.Seat.Leads() {
		n.Seat.Resign(w.clock(n))
	}
	w.After(dismissal, func() {
		w.Crash(n, false)
		n.disk, n.relay = seat.Disk{}, new(relay)
		n.seen = make(map[wire.RecordName]int)
	})
}

// relays are the nodes that are no members.
func (w *World) relays() []*Node {
	return slices.DeleteFunc(slices.Clone(w.Nodes), func(n *Node) bool { return n.relay == nil })
}

// Serves says whether the node has a seat as a relay.
func (w *World) Serves(n *Node) bool { return n.Seat != nil && n.relay != nil }
