package model_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

// One member, or a relay that is none, claims at will, inflates numbers, merges, reports, names itself,
// forges records and withdraws what is not its own. Nobody follows it, nobody
// loses the hub that lives, everything is accepted; and when it is gone all
// agree.
func TestALiarMovesNobody(t *testing.T) {
	t.Parallel()
	for _, nodes := range []int{3, 4, 7} {
		for _, loss := range []int{0, 20} {
			for _, relay := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d nodes, loss %d, a relay: %v", nodes, loss, relay), func(t *testing.T) {
					t.Parallel()
					first, count := seeds(12, 200)
					for seed := first; seed < first+count; seed++ {
						lied(t, nodes, loss, relay, seed)
					}
				})
			}
		}
	}
}

func lied(t *testing.T, nodes, loss int, relay bool, seed uint64) {
	t.Helper()
	w := model.New(model.Options{Nodes: nodes, Relay: relay, Seed: seed, Loss: loss})
	w.Run(3 * time.Second)
	liar := w.Nodes[1+int(seed)%(nodes-1)]
	if relay {
		liar = w.Nodes[nodes]
	}
	stop := w.Liar(liar)
	var off time.Duration
	for range 600 {
		w.Run(100 * time.Millisecond)
		for _, n := range w.Nodes {
			if n != liar && n.Seat.Branch().Primary() != w.Nodes[0].Key {
				off += 100 * time.Millisecond
			}
		}
		if w.Now.UnixMilli()%1000 < 100 {
			w.WriteAll()
		}
	}
	if off > 0 {
		t.Errorf("seed %d: honest members were off the hub for %v", seed, off)
	}
	stop()
	w.Settle()
	if got := len(w.Accepted); got < 55*(nodes-1) {
		t.Errorf("seed %d: %d records accepted", seed, got)
	}
	for _, b := range w.Broken {
		t.Errorf("seed %d: %s", seed, b)
	}
}

// Whoever claims the hub without need or right is named to everybody, and followed
// by nobody.
func TestWhoClaimsTheHubInVainIsNamed(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]model.Lie{
		"at will": model.ClaimAtWill, "alone": model.ClaimAlone, "with an inflated number": model.Inflate, "as an admin": model.NameItself,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := scene(1)
			chain := w.Chain()
			w.Lie(chain[1], lie)
			for range 50 {
				w.Run(100 * time.Millisecond)
				for _, n := range w.Nodes {
					if n.Seat.Branch().Primary() != chain[0].Key {
						t.Fatalf("node %d follows another at %v", n.ID, w.Age())
					}
				}
			}
			for _, n := range w.Nodes {
				if n != chain[1] && !w.Doubted(n, chain[1]) {
					t.Errorf("node %d was told nothing", n.ID)
				}
			}
			w.Agree(30 * time.Second)
			honest(t, w, 5)
		})
	}
}
