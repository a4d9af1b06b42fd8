package model_test

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

// A day on bad links: every one of them loses a frame in twenty; once a minute a
// link, and every ten minutes all links of a node, are slow by 100 ms to 1 s for
// a second. Nobody takes the hub's place.
func TestNoFalseAlarmInADay(t *testing.T) {
	t.Parallel()
	nodes, day := 8, 6*time.Hour
	if os.Getenv("SOAK") == "1" {
		nodes, day = 50, 24*time.Hour
	}
	w := model.New(model.Options{Nodes: nodes, Seed: 1, Loss: 50, Skew: time.Minute})
	spikes(w, rand.New(rand.NewPCG(1, 3)))
	w.Run(day)
	w.Loss = 0
	w.Agree(30 * time.Second)
	holds(t, w)
	t.Logf("%d nodes, %v: %d claims, %d withdrawn, %d merges, %d versions of the hub record, %d frames", nodes, day, w.Claims, w.Withdrew, w.Merges, w.Versions, w.Frames)
	if w.Claims-w.Withdrew > 0 || w.Merges > 0 || w.Withdrew > 5 {
		t.Errorf("%d claims of which %d were withdrawn, %d merges", w.Claims, w.Withdrew, w.Merges)
	}
}

func spikes(w *model.World, r *rand.Rand) {
	by := func() time.Duration {
		return 100*time.Millisecond + time.Duration(r.Int64N(int64(900*time.Millisecond)))
	}
	n := len(w.Nodes)
	var minute, tenMinutes func()
	slow := func(a, b int, by time.Duration) {
		w.Slow(a, b, by)
		w.Slow(b, a, by)
		w.After(time.Second, func() { w.Slow(a, b, 0); w.Slow(b, a, 0) })
	}
	minute = func() {
		if a, b := r.IntN(n), r.IntN(n); a != b {
			slow(a, b, by())
		}
		w.After(time.Minute, minute)
	}
	tenMinutes = func() {
		a, d := r.IntN(n), by()
		for b := range n {
			if a != b {
				slow(a, b, d)
			}
		}
		w.After(10*time.Minute, tenMinutes)
	}
	w.After(time.Minute, minute)
	w.After(10*time.Minute, tenMinutes)
}
