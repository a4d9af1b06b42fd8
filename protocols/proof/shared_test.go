package proof_test

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/proof"
)

func leaves(its []proof.Item) (list []proof.Hash) {
	for _, it := range its {
		list = append(list, proof.Leaf(protocols.Main.SigningPrefix(nil, it.Tag), it.Message))
	}
	return list
}

// What members of a batch that follow one another share, and the members, are
// enough to make the proof of each of them as it was.
func TestProofsAreMadeAnewOfWhatTheyShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.IntRange(2, 70), rapid.IntRange(2, proof.MaxBatch)).Draw(t, "members")
		from := rapid.IntRange(0, n-1).Draw(t, "first")
		to := rapid.IntRange(from, n-1).Draw(t, "last")
		its := items(n)
		proofs := proof.Sign(fixed.Author(), its)
		s, ok := proof.Share(proofs[from], proofs[to])
		if !ok {
			t.Fatal("they share nothing")
		}
		if most := 2 * 10 * 32; len(s.Edges) > most || from == 0 && to == n-1 && len(s.Edges) > 0 {
			t.Fatalf("%d bytes of edges", len(s.Edges))
		}
		p, err := s.Restore(leaves(its[from : to+1]))
		if err != nil {
			t.Fatal(err)
		}
		if err := verifyRoot(p.Root()); err != nil {
			t.Fatal(err)
		}
		for i := from; i <= to; i++ {
			if again := p.AppendProof(nil, i-from); !bytes.Equal(again, proofs[i]) || len(again) != s.ProofLen(i-from) {
				t.Fatalf("member %d has another proof", i)
			}
			if i > from && !proof.Follows(proofs[i], proofs[i-1]) || proof.Follows(proofs[i], proofs[i]) {
				t.Fatalf("member %d does not follow the one before", i)
			}
		}
	})
}

func TestAForgedPartIsNoPart(t *testing.T) {
	t.Parallel()
	its := items(50)
	proofs := proof.Sign(fixed.Author(), its)
	good, _ := proof.Share(proofs[3], proofs[20])
	want := leaves(its[3:21])
	edges := func(change func(b []byte) []byte) func(*proof.Shared) {
		return func(s *proof.Shared) { s.Edges = change(slices.Clone(s.Edges)) }
	}
	for name, change := range map[string]func(*proof.Shared){
		"another size":         func(s *proof.Shared) { s.Size-- },
		"no size":              func(s *proof.Shared) { s.Size = 0 },
		"a batch of one":       func(s *proof.Shared) { s.Size, s.First = 1, 0 },
		"too large":            func(s *proof.Shared) { s.Size = proof.MaxBatch + 1 },
		"another place":        func(s *proof.Shared) { s.First-- },
		"a place before":       func(s *proof.Shared) { s.First = -1 },
		"a place behind":       func(s *proof.Shared) { s.First = 40 },
		"no edges":             edges(func([]byte) []byte { return nil }),
		"half an edge":         edges(func(b []byte) []byte { return b[:len(b)-16] }),
		"an edge too many":     edges(func(b []byte) []byte { return append(b, b[:32]...) }),
		"another edge":         edges(func(b []byte) []byte { b[40] ^= 1; return b }),
		"edges in other order": edges(func(b []byte) []byte { return append(b[32:64:64], append(slices.Clone(b[:32]), b[64:]...)...) }),
		"no signature":         func(s *proof.Shared) { s.Signature = nil },
		"another signature":    func(s *proof.Shared) { s.Signature = slices.Clone(s.Signature); s.Signature[9] ^= 1 },
	} {
		s := good
		change(&s)
		if p, err := s.Restore(want); err == nil && verifyRoot(p.Root()) == nil {
			t.Errorf("%s: verifies", name)
		}
	}
	for name, list := range map[string][]proof.Hash{"no members": nil, "a member less": want[1:], "other members": leaves(its[4:22]), "too many": leaves(append(its, its...))} {
		if p, err := good.Restore(list); err == nil && verifyRoot(p.Root()) == nil {
			t.Errorf("%s: verifies", name)
		}
	}
	other := proof.Sign(fixed.Author(), items(40))
	for name, pair := range map[string][2][]byte{
		"plain proofs":         {proof.Sign(fixed.Author(), its[:1])[0], proof.Sign(fixed.Author(), its[:1])[0]},
		"two batches":          {proofs[1], other[2]},
		"the wrong way around": {proofs[2], proofs[1]},
		"no proof":             {proofs[1], nil},
	} {
		if _, ok := proof.Share(pair[0], pair[1]); ok || proof.Follows(pair[1], pair[0]) {
			t.Errorf("%s share something", name)
		}
	}
}

// verifyRoot checks that the author signed a batch.
func verifyRoot(r proof.Root) error {
	return proof.NewVerifier(protocols.Main).VerifyAll([]proof.Claim{{Author: fixed.Author().Public(), Root: &r}})
}
