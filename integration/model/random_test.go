package model_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

// seeds is how many runs a test makes: a few, or with SOAK=1 many; MODEL_SEED=n is
// that one alone, MODEL_FROM=n those from there on.
func seeds(few, many int) (first, count uint64) {
	if s := os.Getenv("MODEL_SEED"); s != "" {
		n, _ := strconv.ParseUint(s, 10, 64)
		return n, 1
	}
	first = 1
	if n, err := strconv.ParseUint(os.Getenv("MODEL_FROM"), 10, 64); err == nil {
		first = n // others than usual
	}
	if os.Getenv("SOAK") == "1" {
		return first, uint64(many)
	}
	return first, uint64(few)
}

// Whatever breaks, when it is mended all follow one hub, hold the same log with
// the same marks, and have all that was accepted.
func TestRandomFaultsEndInOneLog(t *testing.T) {
	t.Parallel()
	for _, nodes := range []int{2, 3, 4, 5, 8} {
		for _, f := range []model.Faults{{}, {OneWay: true}, {OneWay: true, Die: true}, {Admin: true}, {Kick: true}, {Relay: true}, {Relay: true, OneWay: true, Die: true}, {Relay: true, Admin: true, Kick: true}, {Join: true}, {Join: true, Kick: true}, {Join: true, Die: true}, {Join: true, Relay: true, Kick: true}} {
			t.Run(fmt.Sprintf("%d nodes, %+v", nodes, f), func(t *testing.T) {
				t.Parallel()
				first, count := seeds(20, 400)
				for seed := first; seed < first+count; seed++ {
					run(t, nodes, seed, f)
				}
			})
		}
	}
}

func run(t *testing.T, nodes int, seed uint64, f model.Faults) {
	t.Helper()
	o := model.Options{Nodes: nodes, Relay: f.Relay, Seed: seed, Loss: int(seed % 70), Late: int(seed % 60), Skew: time.Minute, Trace: os.Getenv("MODEL_SEED") != "", All: os.Getenv("MODEL_FRAMES") != ""}
	w := model.New(o)
	w.Run(3 * time.Second)
	w.Random(time.Duration(20+seed%20)*time.Second, f)
	w.Settle()
	if w.Withheld > 0 {
		t.Errorf("seed %d: %d times a hub was said to withhold that did not", seed, w.Withheld)
	}
	for _, b := range w.Broken {
		t.Errorf("seed %d: %s", seed, b)
	}
	if len(w.Trace) > 0 {
		t.Log("\n" + strings.Join(w.Trace, "\n"))
	}
}
