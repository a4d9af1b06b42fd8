package model_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

// Hours in which the network falls apart and heals again and again, all writing
// now and then. In the end there is one hub and one log with all that any side
// accepted.
func TestPartitionsEndInOneLog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		nodes     int
		few, many int
	}{{7, 8, 300}, {20, 3, 60}, {50, 1, 20}} {
		t.Run(fmt.Sprintf("%d nodes", c.nodes), func(t *testing.T) {
			t.Parallel()
			first, count := seeds(c.few, c.many)
			var healed took
			for seed := first; seed < first+count; seed++ {
				healed = append(healed, partitions(t, c.nodes, seed))
			}
			t.Logf("%d nodes: after the last heal all agree within %v (%d runs)", c.nodes, healed, count)
		})
	}
}

func partitions(t *testing.T, nodes int, seed uint64) time.Duration {
	t.Helper()
	w := model.New(model.Options{Nodes: nodes, Seed: seed, Late: 20, Skew: 30 * time.Second})
	r := rand.New(rand.NewPCG(seed, 5))
	for range 12 {
		w.Run(time.Duration(2+r.IntN(200)) * time.Second)
		w.RandomSplit(r)
		for range r.IntN(10) {
			w.Write(w.Nodes[r.IntN(nodes)])
			w.Run(time.Duration(r.IntN(5000)) * time.Millisecond)
		}
		if r.IntN(3) > 0 {
			w.Heal()
		}
	}
	d := w.Settle()
	for _, b := range w.Broken {
		t.Errorf("seed %d: %s", seed, b)
	}
	return d
}
