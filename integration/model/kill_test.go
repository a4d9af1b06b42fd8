package model_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

// took are durations by the thing that took them.
type took []time.Duration

func (t took) at(q float64) time.Duration {
	slices.Sort(t)
	return t[min(int(q*float64(len(t))), len(t)-1)].Round(time.Millisecond)
}

func (t took) String() string {
	return fmt.Sprintf("p50 %v, p99 %v, most %v", t.at(0.5), t.at(0.99), t.at(1))
}

// kill kills those at places of the chain, and measures how long it takes until
// another hub accepts a record. Members write all the time, or only once after
// the kill.
func kill(t *testing.T, seed uint64, nodes int, beat time.Duration, writing bool, roles ...int) (d time.Duration, claims, reported int) {
	t.Helper()
	w := model.New(model.Options{Nodes: nodes, Seed: seed, Beat: beat, Late: 20})
	w.Run(5*time.Second + time.Duration(seed*137)*time.Millisecond%beat)
	if !writing {
		w.Run(20 * time.Second)
	}
	chain := w.Chain()
	if len(chain) < 3 {
		t.Fatalf("seed %d: the hub has no chain", seed)
	}
	if writing {
		w.WriteEvery(700 * time.Millisecond)
		w.Run(5*time.Second + time.Duration(seed*71)*time.Millisecond%(3*time.Second))
	}
	start := w.Now
	for _, r := range roles {
		w.Crash(chain[r], true)
	}
	if !writing {
		w.WriteAll()
	}
	old := chain[0].Key
	if !w.Until(60*time.Second, func() bool { return w.NewHub(old, start) }) {
		t.Errorf("seed %d: nothing accepted for a minute", seed)
	}
	d, claims, reported = w.Now.Sub(start), w.Claims, w.Reported
	w.WriteEvery(0)
	for _, n := range chain {
		w.Restart(n)
	}
	w.Run(10 * beat)
	w.Agree(60 * time.Second)
	holds(t, w)
	return d, claims, reported
}

func TestAnotherHubAcceptsSoonAfterAKill(t *testing.T) {
	t.Parallel()
	half, classic := 500*time.Millisecond, 3*time.Second
	for _, c := range []struct {
		name     string
		beat     time.Duration
		writing  bool
		roles    []int
		p50, p99 time.Duration
	}{
		{"the hub, all writing", half, true, []int{0}, 1500 * time.Millisecond, 3 * time.Second},
		{"the hub, idle", half, false, []int{0}, 2500 * time.Millisecond, 4 * time.Second},
		{"hub and shadow", half, true, []int{0, 1}, 3 * time.Second, 5 * time.Second},
		{"hub and candidate", half, true, []int{0, 2}, 3 * time.Second, 5 * time.Second},
		{"hub, shadow and candidate", half, true, []int{0, 1, 2}, 6 * time.Second, 9 * time.Second},
		{"the hub, beats of 3 s", classic, true, []int{0}, 5 * time.Second, 7 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var all took
			claims, reported := 0, 0
			first, count := seeds(20, 300)
			for seed := first; seed < first+count; seed++ {
				d, n, early := kill(t, seed, 10, c.beat, c.writing, c.roles...)
				all, claims, reported = append(all, d), claims+n, reported+early
			}
			t.Logf("from the kill of %s to the first record accepted by another: %v (%d runs; %d of %d claims came by a report, before the second miss)", c.name, all, count, reported, claims)
			if all.at(0.5) > c.p50 || all.at(0.99) > c.p99 {
				t.Errorf("slower than p50 %v, p99 %v", c.p50, c.p99)
			}
		})
	}
}
