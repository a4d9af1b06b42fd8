package envelope

import (
	"crypto/sha256"
	"slices"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/golden"
)

func leafOf(signing []byte) [32]byte { return sha256.Sum256(slices.Concat([]byte{0}, signing)) }

// levelsOf computes the tree of a batch from its description alone.
func levelsOf(es []*Envelope) [][]golden.Hex {
	var level []golden.Hex
	for _, e := range es {
		leaf := leafOf(protocols.Main.SigningBytes(nil, protocols.TagEnvelope, e.Signed()))
		level = append(level, leaf[:])
	}
	levels := [][]golden.Hex{level}
	for len(level) > 1 {
		level = above(level)
		levels = append(levels, level)
	}
	return levels
}

func above(level []golden.Hex) (next []golden.Hex) {
	for pair := range slices.Chunk(level, 2) {
		if len(pair) == 1 {
			next = append(next, pair[0])
			continue
		}
		h := sha256.Sum256(slices.Concat([]byte{1}, pair[0], pair[1]))
		next = append(next, h[:])
	}
	return next
}
