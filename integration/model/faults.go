package model

import (
	"math/rand/v2"
	"time"
)

// Faults is what may happen in a random run.
type Faults struct {
	OneWay bool // single directions of links are cut
	Die    bool // nodes are gone for good
	Admin  bool // the creator names hubs
	Kick   bool // the creator kicks members, all but one
	Relay  bool // there is a relay that is no member, and the creator lists it, and does not
}

// Random breaks things at random for a while, members writing all along.
func (w *World) Random(d time.Duration, f Faults) {
	r := rand.New(rand.NewPCG(w.Seed, 2))
	end, next, dead := w.Now.Add(d), w.Now, make(map[int]bool)
	for w.Now.Before(end) {
		if !w.Now.Before(next) {
			next = w.Now.Add(time.Duration(50+r.IntN(1250)) * time.Millisecond)
			w.randomFault(r, f, dead)
		}
		if r.IntN(8) == 0 {
			w.Write(w.Nodes[r.IntN(len(w.Nodes))])
		}
		w.Run(50 * time.Millisecond)
	}
	w.dead = dead
}

func (w *World) randomFault(r *rand.Rand, f Faults, dead map[int]bool) {
	n := w.Nodes[r.IntN(len(w.Nodes))]
	other := w.Nodes[r.IntN(len(w.Nodes))]
	switch r.IntN(14) {
	case 0, 1:
		w.Crash(n, r.IntN(2) == 0)
	case 2, 3:
		if !dead[n.ID] {
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
		if f.OneWay && n != other {
			w.Cut(n.ID, other.ID)
		}
	case 10:
		if f.Die && len(dead) < len(w.Nodes)-len(w.relays())-2 && r.IntN(3) == 0 {
			w.Crash(n, true)
			dead[n.ID] = true
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

// Move lets a node, as admin, name the hub.
func (w *World) Move(admin, to *Node) {
	w.trace("%s names %s hub", name(admin.ID), name(to.ID))
	admin.Seat.Move(w.clock(admin), to.Key)
	w.act(admin)
}
