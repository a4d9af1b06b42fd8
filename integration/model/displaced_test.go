package model_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

// An admin takes the group away from a hub that is there. Whoever dies then, whether
// hubs one after the other or hub, shadow and candidate at once, and whoever
// restarts: as long as others are left it is none again, and is named by none.
func TestADisplacedHubIsNoneWhileOthersAreLeft(t *testing.T) {
	t.Parallel()
	first, count := seeds(10, 200)
	for seed := first; seed < first+count; seed++ {
		w := model.New(model.Options{Nodes: 7, Seed: seed, Bytes: true, Late: 20})
		w.Run(3 * time.Second)
		bad, next := w.Nodes[0], w.Nodes[1+int(seed)%6]
		w.Move(w.Nodes[0], next)
		if !w.Until(3*time.Second, func() bool { c := w.Chain(); return len(c) == 3 && c[0] == next }) {
			t.Fatalf("seed %d: the hub is not moved", seed)
		}
		w.WriteEvery(700 * time.Millisecond)
		for i := range 4 {
			chain := w.Chain()
			for _, n := range chain[:1+2*(i%2)] { // the hub, or all three
				w.Crash(n, true)
			}
			w.Crash(bad, false)
			w.Restart(bad)
			start := w.Now
			leads := false
			if !w.Until(time.Minute, func() bool {
				leads = leads || bad.Seat.Leads()
				return w.NewHub(chain[0].Key, start)
			}) || leads {
				t.Errorf("seed %d: after %v another is hub, or the displaced one: %v", seed, w.Now.Sub(start), leads)
			}
			for _, n := range chain {
				w.Restart(n)
			}
			w.Run(3 * time.Second) // an attach may come late
			if c := w.Chain(); len(c) != 3 || slices.Contains(c, bad) {
				t.Errorf("seed %d: it is in the chain again", seed)
			}
		}
		w.WriteEvery(0)
		w.Settle()
		holds(t, w)
	}
}

// Where nobody else is left who could be hub it is, after all others had their time;
// when they are back it is named no more.
func TestADisplacedHubServesWhereNobodyElseIsLeft(t *testing.T) {
	t.Parallel()
	first, count := seeds(6, 100)
	for seed := first; seed < first+count; seed++ {
		w := model.New(model.Options{Nodes: 4, Seed: seed, Bytes: true})
		w.Run(3 * time.Second)
		bad := w.Nodes[0]
		w.Move(bad, w.Nodes[1])
		w.Run(3 * time.Second)
		w.Crash(w.Nodes[2], true)
		w.Crash(w.Nodes[3], true)
		named := func() bool {
			c := w.Chain()
			return len(c) == 2 && c[1] == bad
		}
		if !w.Until(30*time.Second, named) {
			t.Errorf("seed %d: it is not the shadow of the only one who is left", seed)
		}
		w.Restart(w.Nodes[2])
		w.Restart(w.Nodes[3])
		if !w.Until(30*time.Second, func() bool { c := w.Chain(); return len(c) == 3 && c[1] != bad && c[2] != bad }) {
			t.Errorf("seed %d: it stays in the chain", seed)
		}
		w.Settle()
		holds(t, w)
	}
}
