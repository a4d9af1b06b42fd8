package proof_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/proof"
)

// claimed are claims of two authors: plain signatures, members of batches and a batch as
// a whole.
func claimed() (list []proof.Claim) {
	for _, s := range []protocols.Signer{fixed.Author(), fixed.Other()} {
		for _, n := range []int{1, 1, 5} {
			its := items(n)
			proofs := proof.Sign(s, its)
			for i, p := range proofs {
				list = append(list, proof.Claim{Author: s.Public(), Tag: its[i].Tag, Message: its[i].Message, Proof: p})
			}
			if shared, ok := proof.Share(proofs[0], proofs[n-1]); ok {
				part, _ := shared.Restore(leaves(its))
				root := part.Root()
				list = append(list, proof.Claim{Author: s.Public(), Root: &root})
			}
		}
	}
	return list
}

// Of claims that are verified together one that is false is found, whatever was verified
// before, and those that are true are none the worse for it.
func TestOneFalseClaimAmongManyIsFound(t *testing.T) {
	t.Parallel()
	honest := claimed()
	rapid.Check(t, func(t *rapid.T) {
		v := proof.NewVerifier(protocols.Main)
		list := rapid.Permutation(honest).Draw(t, "claims")[:rapid.IntRange(1, len(honest)).Draw(t, "claimed")]
		i := rapid.IntRange(0, len(list)-1).Draw(t, "false")
		lie := slices.Clone(list)
		if lie[i].Author = fixed.Recipient().Public(); lie[i].Root == nil && rapid.Bool().Draw(t, "altered") {
			lie[i] = list[i]
			lie[i].Message = append([]byte("not "), lie[i].Message...)
		}
		for _, x := range []struct {
			claims []proof.Claim
			want   error
		}{{lie, proof.ErrProof}, {lie[i : i+1], proof.ErrProof}, {list, nil}, {lie, proof.ErrProof}, {list, nil}, {nil, nil}} {
			if err := v.VerifyAll(x.claims); err != x.want {
				t.Fatalf("%v, want %v", err, x.want)
			}
		}
	})
}
