package proof

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/tom-protocol/tom/protocols"
)

// Item is one thing to be signed: its tag and the bytes a signature covers
// behind the prefix.
type Item struct {
	Tag     protocols.Tag
	Message []byte
}

// Sign returns the proof of each item: a plain signature for one item, one
// signature for each MaxBatch of several.
func Sign(s protocols.Signer, items []Item) [][]byte {
	proofs := make([][]byte, 0, len(items))
	for len(items) > MaxBatch {
		proofs = signBatch(s, items[:MaxBatch], proofs)
		items = items[MaxBatch:]
	}
	switch len(items) {
	case 0:
		return proofs
	case 1:
		return append(proofs, signPlain(s, items[0]))
	default:
		return signBatch(s, items, proofs)
	}
}

func signPlain(s protocols.Signer, it Item) []byte {
	sig := s.Sign(it.Tag, it.Message)
	return append([]byte{plain}, sig[:]...)
}

// signBatch appends the proofs of 2 to MaxBatch items to proofs.
func signBatch(s protocols.Signer, items []Item, proofs [][]byte) [][]byte {
	leaves := make([]Hash, len(items))
	var h hasher
	for i, it := range items {
		leaves[i] = h.leaf(s.Network(), it.Tag, it.Message)
	}
	t := grow(leaves)
	statement := rootStatement(len(items), t.root())
	sig := s.Sign(protocols.TagBatch, statement[:])
	space := make([]byte, 0, proofsSize(len(items)))
	for i := range items {
		start := len(space)
		space = t.appendPath(appendHeader(space, len(items), sig[:], i), i)
		proofs = append(proofs, space[start:len(space):len(space)])
	}
	return proofs
}

// appendHeader appends what stands before the path in a batch's proof.
func appendHeader(dst []byte, size int, sig []byte, index int) []byte {
	dst = binary.BigEndian.AppendUint16(append(dst, batch), uint16(size))
	return binary.BigEndian.AppendUint16(append(dst, sig...), uint16(index))
}

// proofsSize returns the length of all proofs of a batch of size.
func proofsSize(size int) int {
	total := size * batchHeader
	for i := range size {
		total += pathLen(size, i) * sha256.Size
	}
	return total
}
