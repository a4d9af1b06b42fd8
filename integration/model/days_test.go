package model_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

// days runs a world whose members write three times an hour.
func days(w *model.World, d time.Duration) {
	for end := w.Age() + d; w.Age() < end; {
		for _, n := range w.Nodes {
			w.Write(n)
			w.Run(20 * time.Minute / time.Duration(len(w.Nodes)))
		}
	}
}

// What is a day old is gone, two hours later at the latest, also from disk; who was
// away for less misses nothing, who was away for longer, and who comes in on the
// third day, gets a snapshot and all that is not a day old.
func TestALogIsADayLong(t *testing.T) {
	t.Parallel()
	w := model.New(model.Options{Nodes: 5, Seed: 1, Beat: 3 * time.Second, Bytes: true})
	days(w, 30*time.Hour)
	away, briefly := w.Nodes[3], w.Nodes[4]
	w.Crash(away, true)
	days(w, 10*time.Hour)
	w.Crash(briefly, true)
	days(w, 20*time.Hour)
	w.Restart(away)
	w.Restart(briefly)
	days(w, 4*time.Hour)
	joiner := w.Join(w.Invite(w.Nodes[2]))
	w.Agree(time.Minute)
	holds(t, w)
	if !joiner.Seat.Ledger().Fold().Member(joiner.Key) {
		t.Error("the joiner is no member")
	}
	days(w, 10*time.Hour)
	w.Agree(time.Minute)
	holds(t, w)
	for _, n := range w.Nodes {
		memory, disk, oldest := w.Kept(n)
		if limit := 26*time.Hour + 20*time.Minute; memory != disk || time.Duration(oldest)*time.Millisecond > limit {
			t.Errorf("node %d holds %d entries, %d on disk, the oldest %v old", n.ID, memory, disk, time.Duration(oldest)*time.Millisecond)
		}
	}
	memory, _, oldest := w.Kept(w.Nodes[0])
	t.Logf("after %v: %d entries, the oldest %v old, %d accepted in all", w.Age(), memory, (time.Duration(oldest) * time.Millisecond).Round(time.Minute), len(w.Accepted))
	if len(w.Accepted) < 800 || memory > 500 {
		t.Errorf("%d accepted, %d held", len(w.Accepted), memory)
	}
}
