package proof

import (
	"crypto/sha256"
	"math/bits"
)

// MaxBatch is how many members a batch may have.
const MaxBatch = 1024

// Hash is a node of the tree.
type Hash [sha256.Size]byte

const (
	leafPrefix = 0
	nodePrefix = 1
)

func node(left, right Hash) Hash {
	var b [1 + 2*sha256.Size]byte
	b[0] = nodePrefix
	copy(b[1:], left[:])
	copy(b[1+sha256.Size:], right[:])
	return sha256.Sum256(b[:])
}

// tree holds the levels of a Merkle tree, leaves first, the root alone in the
// last. On each level neighbours are paired; a last one without a neighbour
// moves up as it is, which gives the tree of RFC 9162.
type tree [][]Hash

func grow(leaves []Hash) tree {
	t := tree{leaves}
	for level := leaves; len(level) > 1; {
		next := make([]Hash, 0, (len(level)+1)/2)
		for i := 0; i+1 < len(level); i += 2 {
			next = append(next, node(level[i], level[i+1]))
		}
		if len(level)%2 == 1 {
			next = append(next, level[len(level)-1])
		}
		t = append(t, next)
		level = next
	}
	return t
}

func (t tree) root() Hash { return t[len(t)-1][0] }

// appendPath appends the siblings on the way from leaf index to the root.
func (t tree) appendPath(dst []byte, index int) []byte {
	for _, level := range t[:len(t)-1] {
		if s := index ^ 1; s < len(level) {
			dst = append(dst, level[s][:]...)
		}
		index /= 2
	}
	return dst
}

// pathLen returns how many siblings leaf index has in a tree of size leaves.
func pathLen(size, index int) int {
	last := size - 1
	// Below the level on which index and the last leaf meet every sibling is
	// there; from it upward only those to the left of the last leaf's way are.
	inner := bits.Len(uint(index ^ last))
	return inner + bits.OnesCount(uint(index>>inner))
}

// climb computes the root from a leaf and its path, as RFC 9162 section
// 2.1.3.2 has it. The path must have the length that pathLen demands.
func climb(leaf Hash, path []byte, size, index int) Hash {
	h := leaf
	for last := size - 1; last > 0; last, index = last/2, index/2 {
		switch {
		case index%2 == 1:
			h, path = node(Hash(path[:sha256.Size]), h), path[sha256.Size:]
		case index < last:
			h, path = node(h, Hash(path[:sha256.Size])), path[sha256.Size:]
		}
	}
	return h
}
