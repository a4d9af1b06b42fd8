package storm_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model/storm"
	"github.com/tom-protocol/tom/protocols/backup"
)

// A storm within the rules: at most k − 1 nodes depart within the time that
// making new copies may take. A breeze is the same for a third of the nodes.
var (
	fair = storm.Storm{
		Messages: 10_000, Over: 8 * time.Hour,
		Deaths: 10, Restless: 33, Partitions: 6,
		Together: 2, Interval: time.Minute,
	}
	breeze = storm.Storm{
		Messages: 1500, Over: 4 * time.Hour,
		Deaths: 3, Restless: 11, Partitions: 3,
		Together: 2, Interval: time.Minute,
	}
)

// TestNothingIsLostInABreeze runs a few seeds of it, or with SOAK=1 hundreds.
func TestNothingIsLostInABreeze(t *testing.T) {
	t.Parallel()
	seeds := uint64(3)
	if os.Getenv("SOAK") == "1" {
		seeds = 400
	}
	for seed := range seeds {
		weather(t, seed, 34, breeze)
	}
}

// TestNothingIsLostInAStorm runs one seed, the one that SEED names, or with SOAK=1
// two hundred.
func TestNothingIsLostInAStorm(t *testing.T) {
	switch seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); {
	case err == nil:
		weather(t, seed, 100, fair)
	case os.Getenv("SOAK") == "1":
		for seed := range uint64(200) {
			weather(t, seed, 100, fair)
		}
	default:
		weather(t, 31, 100, fair)
	}
}

// weather runs one seed and holds it against what is promised.
func weather(t *testing.T, seed uint64, nodes int, s storm.Storm) {
	began := time.Now()
	w := storm.New(storm.Config{Seed: seed, Nodes: nodes, Loss: 0.01, Delay: 200 * time.Millisecond})
	w.Unleash(s)
	w.Watch()
	w.Run(s.Over + 30*time.Minute)
	o := w.Outcome()
	w.Calm()
	end := w.Outcome()
	t.Logf("seed %d: %+v; at the end %+v; %d frames, %d audits, %v", seed, o, end, w.Frames, w.Audits, time.Since(began).Round(time.Millisecond))
	for _, f := range w.Faults {
		t.Errorf("seed %d: %s", seed, f)
	}
	if o.Lost > 0 {
		t.Errorf("seed %d: %d messages were lost", seed, o.Lost)
	}
	if o.Peak > backup.MaxHolders {
		t.Errorf("seed %d: %d nodes held one message", seed, o.Peak)
	}
	if end.Left+end.Tombs+end.Books > 0 {
		t.Errorf("seed %d: after 24 h there is %+v", seed, end)
	}
	if o.Stored < o.Messages/10 || o.Received < o.Messages*8/10 {
		t.Errorf("seed %d: too little happened: %+v", seed, o)
	}
}
