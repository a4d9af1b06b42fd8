package model_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

// A hub shows one member another log. The members exchange heads past it: within
// two minutes all know, have proof, and follow another hub, which the forger
// cannot become again.
func TestAForkingHubIsFoundAndLeft(t *testing.T) {
	t.Parallel()
	first, count := seeds(6, 100)
	for seed := first; seed < first+count; seed++ {
		w := model.New(model.Options{Nodes: 5, Seed: seed})
		w.Run(3 * time.Second)
		hub := w.Nodes[0]
		w.Fork(hub, w.Nodes[1+int(seed)%4])
		for range 120 {
			w.Write(hub)
			w.Run(time.Second)
		}
		for _, n := range w.Nodes[1:] {
			if n.Seat.Branch().Primary() == hub.Key {
				t.Errorf("seed %d: a member follows the forger after two minutes", seed)
			}
		}
		for _, b := range w.Broken {
			t.Errorf("seed %d: %s", seed, b)
		}
	}
}

// The verdict outlives restarts: where a place in the chain is empty, and there is
// nobody else, it stays empty.
func TestAForgerIsNotForgottenByARestart(t *testing.T) {
	t.Parallel()
	w := model.New(model.Options{Nodes: 5, Seed: 1})
	w.Run(3 * time.Second)
	forger := w.Nodes[0]
	w.Fork(forger, w.Nodes[2])
	for range 120 {
		w.Write(forger)
		w.Run(time.Second)
	}
	for _, n := range w.Nodes[1:] {
		w.Crash(n, false)
		w.Restart(n)
	}
	w.Run(5 * time.Second)
	hub := w.Chain()[0]
	for _, n := range w.Nodes[1:] {
		if n != hub && w.Up() > 3 {
			w.Crash(n, false)
		}
	}
	for range 600 {
		w.Run(100 * time.Millisecond)
		for _, n := range w.Nodes[1:] {
			if !n.Up {
				continue
			}
			if r := n.Seat.Branch().Record; r.Primary == forger.Key || r.Names(forger.Key) {
				t.Fatalf("at %v the forger is in the chain of term %d again", w.Age(), r.Number)
			}
		}
	}
}
