package crash

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// plan says what a run does. The same seed gives the same plan; what it meets
// in the processes is theirs.
type plan struct {
	seed     uint64
	messages int
	kills    int           // of each of the two
	senders  int           // sending at once
	patience time.Duration // for all of it
}

// newPlan is the short form, or with SOAK=1 the long one. SEED repeats a seed.
func newPlan(t *testing.T) plan {
	p := plan{seed: rand.Uint64(), messages: 5000, kills: 5, senders: 8, patience: 4 * time.Minute}
	if os.Getenv("SOAK") == "1" {
		p.messages, p.kills, p.patience = 50_000, 20, 20*time.Minute
	}
	if text := os.Getenv("SEED"); text != "" {
		var err error
		if p.seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("SEED: %v", err)
		}
	}
	t.Logf("SEED=%d: %d messages, sender and recipient killed %d times each", p.seed, p.messages, p.kills)
	return p
}

// moment is when to kill: so long after so many messages were accepted.
type moment struct {
	accepted int
	after    time.Duration
}

// moments are when a process is killed, in order. The pause after the count
// takes the moment away from the answer that completed the count.
func (p plan) moments(who uint64) []moment {
	r := rand.New(rand.NewPCG(p.seed, who))
	all := make([]moment, p.kills)
	for i := range all {
		all[i] = moment{1 + r.IntN(p.messages-1), time.Duration(r.Int64N(int64(100 * time.Millisecond)))}
	}
	slices.SortFunc(all, func(a, b moment) int { return a.accepted - b.accepted })
	return all
}
