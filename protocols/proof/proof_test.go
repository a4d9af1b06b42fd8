package proof_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/proof"
)

func items(n int) []proof.Item {
	its := make([]proof.Item, n)
	for i := range its {
		its[i] = proof.Item{Tag: protocols.TagEnvelope, Message: fmt.Appendf(nil, "message %d", i)}
	}
	return its
}

func TestEveryMemberVerifiesAlone(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 31, 32, 33, 1024, 1025, 2050} {
		its := items(n)
		its[n-1].Tag = protocols.TagGroupRecord // structures may share a batch
		for i, p := range proof.Sign(fixed.Author(), its) {
			if i%97 != 0 && i < n-2 {
				continue
			}
			v := proof.NewVerifier(protocols.Main)
			if err := v.Verify(fixed.Author().Public(), its[i].Tag, its[i].Message, p); err != nil {
				t.Errorf("%d of %d: %v", i, n, err)
			}
		}
	}
}

func TestSignsWithOneSignatureForABatch(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{0: 0, 1: 1, 2: 1, 1024: 1, 1025: 2, 2048: 2, 2050: 3} {
		s := &countingSigner{Signer: fixed.Author()}
		if got := len(proof.Sign(s, items(n))); got != n || s.signed != want {
			t.Errorf("%d items: %d proofs, %d signatures, want %d", n, got, s.signed, want)
		}
	}
}

type countingSigner struct {
	protocols.Signer
	signed int
}

func (s *countingSigner) Sign(tag protocols.Tag, msg []byte) protocols.Signature {
	s.signed++
	return s.Signer.Sign(tag, msg)
}

// The verifier knows the root already when the forgeries come.
func TestForgedProofsDoNotVerify(t *testing.T) {
	t.Parallel()
	its := items(5)
	proofs := proof.Sign(fixed.Author(), its)
	single := proof.Sign(fixed.Author(), its[:1])[0]
	author := fixed.Author().Public()
	changed := func(p []byte, at int, to ...byte) []byte {
		p = bytes.Clone(p)
		copy(p[at:], to)
		return p
	}
	const index = 1 + 2 + 64
	for name, c := range map[string]struct {
		from  protocols.Key
		tag   protocols.Tag
		msg   string
		proof []byte
	}{
		"another's name":          {fixed.Other().Public(), protocols.TagEnvelope, "message 0", proofs[0]},
		"another tag":             {author, protocols.TagGroupRecord, "message 0", proofs[0]},
		"another message":         {author, protocols.TagEnvelope, "message 9", proofs[0]},
		"another member's":        {author, protocols.TagEnvelope, "message 1", proofs[0]},
		"another index":           {author, protocols.TagEnvelope, "message 0", changed(proofs[0], index, 0, 1)},
		"index beyond the size":   {author, protocols.TagEnvelope, "message 0", changed(proofs[0], index, 0, 5)},
		"another size":            {author, protocols.TagEnvelope, "message 0", changed(proofs[0], 1, 0, 6)},
		"no size":                 {author, protocols.TagEnvelope, "message 0", changed(proofs[0], 1, 0, 0)},
		"too large a size":        {author, protocols.TagEnvelope, "message 0", changed(proofs[0], 1, 4, 1)},
		"a corrupted path":        {author, protocols.TagEnvelope, "message 0", changed(proofs[0], index+2+40, 0xff)},
		"a corrupted signature":   {author, protocols.TagEnvelope, "message 0", changed(proofs[0], 10, 0xff)},
		"a truncated path":        {author, protocols.TagEnvelope, "message 0", proofs[0][:len(proofs[0])-32]},
		"a ragged path":           {author, protocols.TagEnvelope, "message 0", proofs[0][:len(proofs[0])-1]},
		"a longer path":           {author, protocols.TagEnvelope, "message 0", append(bytes.Clone(proofs[0]), make([]byte, 32)...)},
		"only a kind":             {author, protocols.TagEnvelope, "message 0", []byte{1}},
		"nothing":                 {author, protocols.TagEnvelope, "message 0", nil},
		"an unknown kind":         {author, protocols.TagEnvelope, "message 0", changed(proofs[0], 0, 2)},
		"plain: another message":  {author, protocols.TagEnvelope, "message 1", single},
		"plain: another's name":   {fixed.Other().Public(), protocols.TagEnvelope, "message 0", single},
		"plain: a bit":            {author, protocols.TagEnvelope, "message 0", changed(single, 5, single[5]^1)},
		"plain: a byte too short": {author, protocols.TagEnvelope, "message 0", single[:64]},
		"plain: a byte too long":  {author, protocols.TagEnvelope, "message 0", append(bytes.Clone(single), 0)},
		"plain: root's signature": {author, protocols.TagEnvelope, "message 0", slices.Concat([]byte{0}, proofs[0][3:67])},
	} {
		v := proof.NewVerifier(protocols.Main)
		for i, p := range proofs {
			if err := v.Verify(author, its[i].Tag, its[i].Message, p); err != nil {
				t.Fatal(err)
			}
		}
		if err := v.Verify(c.from, c.tag, []byte(c.msg), c.proof); err != proof.ErrProof {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProofsOfAnotherNetworkDoNotVerify(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2} {
		its := items(n)
		p := proof.Sign(fixed.Signer("test", fixed.AuthorSeed), its)[0]
		v := proof.NewVerifier(protocols.Main)
		if err := v.Verify(fixed.Author().Public(), its[0].Tag, its[0].Message, p); err != proof.ErrProof {
			t.Errorf("batch of %d: %v", n, err)
		}
	}
}

// A node of the tree must not pass for a leaf, nor a root for an item.
func TestInnerNodesAreNoMembers(t *testing.T) {
	t.Parallel()
	its := items(4)
	p := proof.Sign(fixed.Author(), its)[0]
	const path = 1 + 2 + 64 + 2
	forged := slices.Concat(p[:path], p[path+32:]) // climbs from the node above
	binary.BigEndian.PutUint16(forged[1:], 2)
	v := proof.NewVerifier(protocols.Main)
	for _, msg := range [][]byte{p[path : path+32], slices.Concat(p[path:path+32], p[path:path+32])} {
		if err := v.Verify(fixed.Author().Public(), protocols.TagEnvelope, msg, forged); err == nil {
			t.Error("a node of the tree verifies as a member")
		}
	}
}

func TestManyWorkersMayVerifyOneBatch(t *testing.T) {
	t.Parallel()
	its := items(64)
	proofs := proof.Sign(fixed.Author(), its)
	v := proof.NewVerifier(protocols.Main)
	var done sync.WaitGroup
	for worker := range 8 {
		done.Go(func() {
			for i := worker; i < len(its); i += 8 {
				if err := v.Verify(fixed.Author().Public(), its[i].Tag, its[i].Message, proofs[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done.Wait()
}

func TestAnyChangedBitBreaksAProof(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "size")
		its := items(n)
		i := rapid.IntRange(0, n-1).Draw(t, "member")
		p := proof.Sign(fixed.Author(), its)[i]
		v := proof.NewVerifier(protocols.Main)
		if err := v.Verify(fixed.Author().Public(), its[i].Tag, its[i].Message, p); err != nil {
			t.Fatal(err)
		}
		bit := rapid.IntRange(0, len(p)*8-1).Draw(t, "bit")
		p[bit/8] ^= 1 << (bit % 8)
		if v.Verify(fixed.Author().Public(), its[i].Tag, its[i].Message, p) == nil {
			t.Fatalf("bit %d of proof %d of %d may be changed", bit, i, n)
		}
	})
}

func FuzzVerify(f *testing.F) {
	for _, n := range []int{1, 2, 5} {
		f.Add(proof.Sign(fixed.Author(), items(n))[0])
	}
	v, author := proof.NewVerifier(protocols.Main), fixed.Author().Public()
	f.Fuzz(func(t *testing.T, p []byte) {
		if v.Verify(author, protocols.TagEnvelope, []byte("never signed"), p) == nil {
			t.Fatalf("%x verifies", p)
		}
	})
}
