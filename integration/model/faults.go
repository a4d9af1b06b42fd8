package model

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
)

// Faults is what may happen in a random run.
type Faults struct {
	OneWay bool // single directions of links are cut
	Die    bool // nodes are gone for good; of those who were there from the beginning two stay
	Admin  bool // the creator names hubs
	Kick   bool // the creator kicks members, all but one
	Relay  bool // there is a relay that is no member, and the creator lists it, and does not
	Join   bool // others join, wherever whoever invites them is
}

// Random breaks things at random for a while, members writing all along.
func (w *World) Random(d time.Duration, f Faults) {
	r := rand.New(rand.NewPCG(w.Seed, 2))
	end, next := w.Now.Add(d), w.Now
	w.dead = make(map[int]bool)
	for w.Now.Before(end) {
		if !w.Now.Before(next) {
			next = w.Now.Add(time.Duration(50+r.IntN(1250)) * time.Millisecond)
			w.randomFault(r, f)
		}
		if r.IntN(8) == 0 {
			w.Write(w.Nodes[r.IntN(len(w.Nodes))])
		}
		w.Run(50 * time.Millisecond)
	}
}

func (w *World) randomFault(r *rand.Rand, f Faults) {
	n := w.Nodes[r.IntN(len(w.Nodes))]
	other := w.Nodes[r.IntN(len(w.Nodes))]
	switch r.IntN(14) {
	case 0, 1:
		w.Crash(n, r.IntN(2) == 0)
	case 2, 3:
		if !w.dead[n.ID] {
			w.Restart(n)
		}
	case 4:
		w.Pause(n)
	case 5:
		for _, n := range w.Nodes {
			w.Resume(n)
		}
	case 6, 7:
		w.RandomSplit(r)
	case 8:
		w.Heal()
	case 9:
		switch {
		case f.OneWay && n != other:
			w.Cut(n.ID, other.ID)
		case f.Join && n.relay == nil && n.Up && !n.Paused && w.joins < maxJoins && r.IntN(2) == 0:
			w.joins++
			w.JoinAt(n)
		}
	case 10:
		if f.Die && (!n.founder() || len(w.left()) > 2) && r.IntN(3) == 0 {
			w.Crash(n, true)
			w.dead[n.ID] = true
		}
	case 12:
		if f.Kick && w.kicked < len(w.Nodes)-2 && n.ID > 0 && w.Nodes[0].Up && !w.Nodes[0].Paused && r.IntN(3) == 0 {
			if _, member := w.Nodes[0].Seat.Ledger().Fold().Names(n.Key); member {
				w.kicked++
				w.Kick(w.Nodes[0], n)
			}
		}
	case 13:
		if f.Relay && w.Nodes[0].Up && !w.Nodes[0].Paused && r.IntN(3) == 0 {
			w.List(w.Nodes[0], w.relays()[:r.IntN(2)]...)
		}
	case 11:
		if f.Admin && w.Nodes[0].Up && !w.Nodes[0].Paused && r.IntN(3) == 0 {
			w.Move(w.Nodes[0], n)
		}
	}
}

// RandomSplit makes two sides at random.
func (w *World) RandomSplit(r *rand.Rand) {
	side := make([]bool, len(w.Nodes))
	for i := range side {
		side[i] = r.IntN(2) == 0
	}
	w.Split(func(i int) bool { return side[i] })
	w.traceSides(func(i int) bool { return side[i] })
}

func (w *World) traceSides(side func(int) bool) {
	var a, b []string
	for i := range w.Nodes {
		if side(i) {
			a = append(a, name(i))
		} else {
			b = append(b, name(i))
		}
	}
	w.trace("the network falls apart: %v and %v", a, b)
}

// maxJoins is how many join in a random run.
const maxJoins = 4

// JoinAt lets one come in who was invited by a node, and reaches whom that reaches.
func (w *World) JoinAt(n *Node) *Node {
	root, hub := w.Invite(n)
	x := w.Join(root, hub)
	x.invited = true
	for i := range w.Nodes {
		for _, to := range []bool{true, false} {
			if link := direction(n.ID, i, to); w.cut[link] {
				w.cut[direction(x.ID, i, to)] = true
			}
		}
	}
	return x
}

// founder says whether the node was in the log from the beginning.
func (n *Node) founder() bool { return n.relay == nil && n.joined.IsZero() }

// left returns the founders that are not gone for good. Alone nobody could be hub, and
// nobody else need be in a log that is left.
func (w *World) left() []*Node {
	return slices.DeleteFunc(slices.Clone(w.Nodes), func(n *Node) bool { return !n.founder() || w.dead[n.ID] })
}

// promise lets another say again what the log is to one who joined.
func (w *World) promise(n *Node) {
	if n.told {
		return
	}
	n.told = true
	w.After(3*time.Second, func() {
		n.told = false
		by := w.left()[0]
		if n.Up && !n.Paused && by.Up && !by.Paused && !w.cut[[2]int{by.ID, n.ID}] {
			root, _ := w.Invite(by)
			n.root = &root
			n.Seat.Promise(w.clock(n), root)
			w.act(n)
		}
	})
}

func direction(n, other int, to bool) [2]int {
	if to {
		return [2]int{n, other}
	}
	return [2]int{other, n}
}

// Promote lets an admin make a member one.
func (w *World) Promote(admin, n *Node) {
	names, _ := admin.Seat.Ledger().Fold().Names(n.Key)
	admin.written++
	w.publish(admin, wire.KindRole, (&wire.Target{Kind: wire.KindRole, Member: n.Key, Role: wire.RoleAdmin, Names: names}).Append(nil))
}

// Move lets a node, as admin, name the hub.
func (w *World) Move(admin, to *Node) {
	w.trace("%s names %s hub", name(admin.ID), name(to.ID))
	admin.Seat.Move(w.clock(admin), to.Key)
	w.act(admin)
}
