package proof

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

// rfcRoot is the definition of RFC 9162 section 2.1.1, word for word.
func rfcRoot(leaves []Hash) Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := split(len(leaves))
	return node(rfcRoot(leaves[:k]), rfcRoot(leaves[k:]))
}

// rfcPath is the definition of RFC 9162 section 2.1.3.1.
func rfcPath(leaves []Hash, m int) []Hash {
	if len(leaves) == 1 {
		return nil
	}
	k := split(len(leaves))
	if m < k {
		return append(rfcPath(leaves[:k], m), rfcRoot(leaves[k:]))
	}
	return append(rfcPath(leaves[k:], m-k), rfcRoot(leaves[:k]))
}

// split returns the largest power of two smaller than n.
func split(n int) int {
	k := 1
	for k*2 < n {
		k *= 2
	}
	return k
}

func someLeaves(n int) []Hash {
	leaves := make([]Hash, n)
	for i := range leaves {
		leaves[i] = sha256.Sum256(binary.BigEndian.AppendUint32([]byte{leafPrefix}, uint32(i)))
	}
	return leaves
}

func sizes() []int { return []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 100, 255, 1023, 1024} }

func TestTheTreeIsThatOfRFC9162(t *testing.T) {
	t.Parallel()
	for _, n := range sizes() {
		leaves := someLeaves(n)
		tr := grow(leaves)
		if tr.root() != rfcRoot(leaves) {
			t.Fatalf("%d leaves: another root", n)
		}
		for i := range n {
			var want []byte
			for _, h := range rfcPath(leaves, i) {
				want = append(want, h[:]...)
			}
			if got := tr.appendPath(nil, i); string(got) != string(want) {
				t.Fatalf("leaf %d of %d: another path", i, n)
			}
		}
	}
}

func TestEveryPathLeadsToTheRoot(t *testing.T) {
	t.Parallel()
	for _, n := range sizes() {
		leaves := someLeaves(n)
		tr := grow(leaves)
		for i := range n {
			path := tr.appendPath(nil, i)
			if len(path) != pathLen(n, i)*sha256.Size || len(path) > maxPath*sha256.Size {
				t.Fatalf("leaf %d of %d: a path of %d bytes", i, n, len(path))
			}
			if climb(leaves[i], path, n, i) != tr.root() {
				t.Fatalf("leaf %d of %d leads elsewhere", i, n)
			}
		}
	}
}
