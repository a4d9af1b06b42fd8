package storm_test

import (
	"math"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model/storm"
)

func TestTheSameSeedGivesTheSameStorm(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) [32]byte {
		w := storm.New(storm.Config{Seed: seed, Nodes: 30, Loss: 0.02, Delay: 200 * time.Millisecond})
		w.Unleash(storm.Storm{
			Messages: 300, Over: 2 * time.Hour, Deaths: 3, Restless: 10, Partitions: 2,
			Together: 2, Interval: time.Minute,
		})
		w.Run(3 * time.Hour)
		return w.Sum()
	}
	first, again := run(5), run(5)
	if first != again {
		t.Error("the same seed went two ways")
	}
	if first == run(6) {
		t.Error("two seeds went the same way")
	}
}

// TestTooManyDeathsAtOnceLoseWhatIsComputed breaks the rules: far more than
// k − 1 nodes die at one moment, senders among them. What is lost must be what
// the numbers of holders let one expect, no less and no more.
func TestTooManyDeathsAtOnceLoseWhatIsComputed(t *testing.T) {
	t.Parallel()
	const nodes, away, messages, deaths = 100, 20, 4000, 40
	var lost, expected, variance float64
	for seed := range uint64(3) {
		w := storm.New(storm.Config{Seed: seed, Nodes: nodes, Loss: 0.01, Delay: 200 * time.Millisecond})
		w.Sleep(away)
		for range messages {
			w.SendToSleepers()
		}
		w.Run(10 * time.Minute)
		for _, p := range w.LossIf(deaths) {
			expected += p
			variance += p * (1 - p)
		}
		w.Massacre(deaths)
		w.Watch()
		w.Run(time.Minute)
		lost += float64(w.Outcome().Lost)
	}
	t.Logf("lost %.0f of %d stored messages; computed %.1f", lost, 3*messages, expected)
	// Messages to one recipient share holders, so that they are lost together:
	// the spread is wider than of as many coins by the root of their number.
	sigma := math.Sqrt(variance * messages / away)
	if lost == 0 || math.Abs(lost-expected) > 3*sigma {
		t.Errorf("lost %.0f, computed %.1f ± %.1f", lost, expected, sigma)
	}
}
