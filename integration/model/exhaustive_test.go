package model_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

// fault is one thing that may happen between two steps; doing what is done
// already is nothing.
type fault struct {
	name string
	do   func(w *model.World)
}

// faultsOf returns all faults of a group: nothing, every crash or restart, every
// pause or its end, every way to fall into two, the mending of all links, and the
// loss of each direction among hub, shadow and candidate.
func faultsOf(nodes int) []fault {
	fs := []fault{
		{"nothing", func(*model.World) {}},
		{"heal", func(w *model.World) { w.Heal() }},
	}
	for i := range nodes {
		fs = append(fs, fault{fmt.Sprintf("crash or restart %d", i), func(w *model.World) {
			if w.Nodes[i].Up {
				w.Crash(w.Nodes[i], true)
			} else {
				w.Restart(w.Nodes[i])
			}
		}}, fault{fmt.Sprintf("pause or resume %d", i), func(w *model.World) {
			if w.Nodes[i].Paused {
				w.Resume(w.Nodes[i])
			} else {
				w.Pause(w.Nodes[i])
			}
		}})
	}
	for mask := 1; mask < 1<<(nodes-1); mask++ {
		fs = append(fs, fault{fmt.Sprintf("split %b", mask), func(w *model.World) {
			w.Split(func(n int) bool { return mask>>n&1 == 1 })
		}})
	}
	for i := range 3 {
		for j := range 3 {
			if i != j {
				fs = append(fs, fault{fmt.Sprintf("cut %d to %d", i, j), func(w *model.World) { w.Cut(i, j) }})
			}
		}
	}
	return fs
}

// Every schedule of so many faults, one a step, all members writing at each: in
// the end one hub, one log, nothing lost.
func TestEveryShortScheduleEndsInOneLog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		nodes, relays, few, many int
		step                     time.Duration
	}{
		{3, 0, 2, 4, 700 * time.Millisecond},
		{3, 0, 2, 3, 350 * time.Millisecond},
		{4, 0, 2, 3, 700 * time.Millisecond},
		{4, 0, 2, 3, 1250 * time.Millisecond},
		{3, 1, 2, 4, 700 * time.Millisecond},
		{4, 1, 2, 3, 1250 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%d nodes, %d of them a relay, steps of %v", c.nodes, c.relays, c.step), func(t *testing.T) {
			t.Parallel()
			depth := c.few
			if os.Getenv("SOAK") == "1" {
				depth = c.many
			}
			all := schedules(faultsOf(c.nodes), depth)
			for _, s := range all {
				if !follow(t, c.nodes-c.relays, c.relays > 0, c.step, s) {
					return
				}
			}
			t.Logf("%d schedules of %d faults", len(all), depth)
		})
	}
}

// schedules returns all sequences of so many faults.
func schedules(fs []fault, depth int) [][]fault {
	all := [][]fault{nil}
	for range depth {
		var next [][]fault
		for _, s := range all {
			for _, f := range fs {
				next = append(next, append(s[:len(s):len(s)], f))
			}
		}
		all = next
	}
	return all
}

func follow(t *testing.T, members int, relay bool, step time.Duration, schedule []fault) bool {
	t.Helper()
	w := model.New(model.Options{Nodes: members, Relay: relay, Seed: 1})
	w.Run(3 * time.Second)
	var names []string
	for _, f := range schedule {
		f.do(w)
		names = append(names, f.name)
		w.WriteAll()
		w.Run(step)
	}
	w.WriteAll()
	w.Run(step)
	w.Settle()
	for _, b := range w.Broken {
		t.Errorf("%s: %s", strings.Join(names, ", "), b)
	}
	return len(w.Broken) == 0
}
