package model_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

// A hub shows one who joins another history than the invite spoke of: the joiner
// takes nothing of it and names the hub; from another hub it takes the true one.
func TestAJoinerTakesNoOtherHistory(t *testing.T) {
	t.Parallel()
	first, count := seeds(6, 100)
	for seed := first; seed < first+count; seed++ {
		w := model.New(model.Options{Nodes: 5, Seed: seed, Bytes: true})
		w.Run(3 * time.Second)
		hub := w.Nodes[0]
		for range 10 {
			w.Write(hub)
			w.Run(time.Second)
		}
		root, branch := w.Invite(w.Nodes[1+int(seed)%4])
		joiner := w.Join(root, branch)
		w.Fork(hub, joiner)
		w.Run(20 * time.Second)
		if w.Trusts(joiner) || joiner.Seat.Ledger().Log().Len() > 0 {
			t.Errorf("seed %d: it takes %d records of a log that nobody promised", seed, joiner.Seat.Ledger().Log().Len())
		}
		w.Crash(hub, true)
		w.Run(20 * time.Second)
		if got, want := joiner.Seat.Ledger().Log().Seq(), w.Nodes[1].Seat.Ledger().Log().Seq(); got != want || want == 0 {
			t.Errorf("seed %d: from an honest hub it has the log up to %d of %d", seed, got, want)
		}
		holds(t, w)
	}
}
