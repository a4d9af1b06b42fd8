package groups

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/senderkey"
	"github.com/tom-protocol/tom/groups/wire"
)

// Of chains that come to an end one after another, before any is given to all, only so
// many are owed, and the one that may be on its way stays.
func TestOnlySoManyChainsAreOwed(t *testing.T) {
	t.Parallel()
	k, now := &keys{}, time.Unix(1000, 0)
	k.owe(now) // there is none yet
	var chains []wire.ChainID
	for range maxDebts + 3 {
		own, err := senderkey.Begin(rand.Reader, senderkey.Roster{}, now)
		if err != nil {
			t.Fatal(err)
		}
		k.own, k.grants = own, newGrants()
		grantees(k.grants, lacks, given)
		k.grants.take(lacks, handed, func() []byte { return []byte("chain") }, now)
		k.owe(now)
		chains = append(chains, own.State().Chain)
	}
	n := len(chains)
	if len(k.debts) != maxDebts || k.debts[0].Chain != chains[0] || k.debts[1].Chain != chains[n-maxDebts+1] || k.debts[maxDebts-1].Chain != chains[n-1] {
		t.Errorf("%d are owed", len(k.debts))
	}
	grantees(k.grants, given)
	if k.owe(now); len(k.debts) != maxDebts || k.debts[maxDebts-1].Chain != chains[n-1] {
		t.Error("a chain is owed that all have")
	}
}
