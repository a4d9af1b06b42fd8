package model_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

// One member claims at will, inflates numbers, merges, reports, names itself,
// forges records and withdraws what is not its own. Nobody follows it, nobody
// loses the hub that lives, everything is accepted; and when it is gone all
// agree.
func TestALiarMovesNobody(t *testing.T) {
	t.Parallel()
	for _, nodes := range []int{3, 4, 7} {
		for _, loss := range []int{0, 20} {
			t.Run(fmt.Sprintf("%d nodes, loss %d", nodes, loss), func(t *testing.T) {
				t.Parallel()
				first, count := seeds(12, 200)
				for seed := first; seed < first+count; seed++ {
					lied(t, nodes, loss, seed)
				}
			})
		}
	}
}

func lied(t *testing.T, nodes, loss int, seed uint64) {
	t.Helper()
	w := model.New(model.Options{Nodes: nodes, Seed: seed, Loss: loss})
	w.Run(3 * time.Second)
	liar := w.Nodes[1+int(seed)%(nodes-1)]
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
