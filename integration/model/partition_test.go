package model_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
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
	w := model.New(model.Options{Nodes: nodes, Seed: seed, Late: 20, Skew: 30 * time.Second, Trace: os.Getenv("MODEL_SEED") != "", All: os.Getenv("MODEL_FRAMES") != ""})
	watchRivals(t, w, seed)
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
	if len(w.Trace) > 0 {
		t.Log("\n" + strings.Join(w.Trace, "\n"))
	}
	return d
}

// mended is how long hubs that links have just brought together may take to learn
// of each other: members hear a beat of every hub that often.
const mended = 7 * time.Second

// watchRivals checks, ten times a second, that no two hubs accept records in one
// connected side for longer than one timeout.
func watchRivals(t *testing.T, w *model.World, seed uint64) {
	t.Helper()
	const timeout = 600 * time.Millisecond
	var since time.Time
	var look func()
	look = func() {
		switch {
		case !w.Rivals() || w.Now.Sub(w.Changed) < mended:
			since = time.Time{}
		case since.IsZero():
			since = w.Now
		case w.Now.Sub(since) > timeout:
			t.Errorf("seed %d: at %v: two hubs accept in one side for %v", seed, w.Age(), w.Now.Sub(since))
			since = w.Now
		}
		w.After(100*time.Millisecond, look)
	}
	look()
}
