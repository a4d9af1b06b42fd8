package proof

import (
	"crypto/sha256"

	"github.com/tom-protocol/tom/protocols"
)

// Shared is what stands once for the proofs of members of a batch that follow one
// another. The paths need not be there: what lies between the first and the last
// of them comes of the members themselves. Edges are the siblings outside, from
// the leaves up, of each level first the one before and then the one behind.
type Shared struct {
	Size, First int
	Signature   []byte
	Edges       []byte // 32 bytes each
}

// Share returns what proofs share that are, in this order, those of one batch's
// members that follow one another; ok is false if the first and the last cannot be.
// It aliases nothing but the first one's signature.
func Share(first, last []byte) (s Shared, ok bool) {
	from, err := parse(first)
	if err != nil || from.size == 0 {
		return s, false
	}
	to, err := parse(last)
	if err != nil || to.size != from.size || to.index < from.index || string(to.signature) != string(from.signature) {
		return s, false
	}
	s = Shared{Size: from.size, First: from.index, Signature: from.signature}
	lo, hi, before, behind := from.index, to.index, from.path, to.path
	for n := from.size; n > 1; n = (n + 1) / 2 {
		left, right := outside(lo, hi, n)
		if lo^1 < n {
			if left {
				s.Edges = append(s.Edges, before[:sha256.Size]...)
			}
			before = before[sha256.Size:]
		}
		if hi^1 < n {
			if right {
				s.Edges = append(s.Edges, behind[:sha256.Size]...)
			}
			behind = behind[sha256.Size:]
		}
		lo, hi = lo/2, hi/2
	}
	return s, true
}

// Follows says whether a proof is of the batch of another, and of the member behind
// its.
func Follows(proof, other []byte) bool {
	p, err := parse(proof)
	if err != nil || p.size == 0 {
		return false
	}
	o, err := parse(other)
	return err == nil && o.size == p.size && p.index == o.index+1 && string(p.signature) == string(o.signature)
}

// outside says whether the siblings of the first and the last of a level of n nodes
// are there and not among them.
func outside(first, last, n int) (left, right bool) {
	return first%2 == 1, last%2 == 0 && last+1 < n
}

// Part is a part of a batch whose proofs can be made anew.
type Part struct {
	shared Shared
	levels []level // of the tree, as far as it is known
	root   Hash
}

// level is what is known of a level of n nodes: some that follow one another.
type level struct {
	from, n int
	nodes   []Hash
}

// Restore computes the tree over the leaves of members that follow one another.
func (s Shared) Restore(leaves []Hash) (*Part, error) {
	if s.Size < 2 || s.Size > MaxBatch || s.First < 0 || len(leaves) == 0 || len(leaves) > s.Size-s.First || len(s.Signature) != protocols.SignatureSize {
		return nil, ErrProof
	}
	p := &Part{shared: s}
	edges, at := s.Edges, level{from: s.First, n: s.Size, nodes: leaves}
	for at.n > 1 {
		left, right := outside(at.from, at.from+len(at.nodes)-1, at.n)
		known := make([]Hash, 0, len(at.nodes)+2)
		if left {
			if len(edges) < sha256.Size {
				return nil, ErrProof
			}
			known, edges, at.from = append(known, Hash(edges[:sha256.Size])), edges[sha256.Size:], at.from-1
		}
		known = append(known, at.nodes...)
		if right {
			if len(edges) < sha256.Size {
				return nil, ErrProof
			}
			known, edges = append(known, Hash(edges[:sha256.Size])), edges[sha256.Size:]
		}
		at.nodes = known
		p.levels = append(p.levels, at)
		at = at.above()
	}
	if len(edges) > 0 {
		return nil, ErrProof
	}
	p.root = at.nodes[0]
	return p, nil
}

// above is the level above, of which as much is known.
func (l level) above() level {
	up := level{from: l.from / 2, n: (l.n + 1) / 2, nodes: make([]Hash, 0, (len(l.nodes)+1)/2)}
	for i := 0; i+1 < len(l.nodes); i += 2 {
		up.nodes = append(up.nodes, node(l.nodes[i], l.nodes[i+1]))
	}
	if len(l.nodes)%2 == 1 { // the level's last: it moves up as it is
		up.nodes = append(up.nodes, l.nodes[len(l.nodes)-1])
	}
	return up
}

// ProofLen returns the length of the proof of the ith member of the part.
func (s Shared) ProofLen(i int) int {
	return batchHeader + pathLen(s.Size, s.First+i)*sha256.Size
}

// AppendProof appends the proof of the ith member of the part.
func (p *Part) AppendProof(dst []byte, i int) []byte {
	index := p.shared.First + i
	dst = appendHeader(dst, p.shared.Size, p.shared.Signature, index)
	for _, l := range p.levels {
		if s := index ^ 1; s < l.n {
			dst = append(dst, l.nodes[s-l.from][:]...)
		}
		index /= 2
	}
	return dst
}

// Root is what an author signed for a batch. It aliases nothing, so it may be kept
// when all that it was made of is gone.
type Root struct {
	size      int
	hash      Hash
	signature [protocols.SignatureSize]byte
}

// Root returns the root of the batch that the part is of.
func (p *Part) Root() Root {
	return Root{p.shared.Size, p.root, [protocols.SignatureSize]byte(p.shared.Signature)}
}

// Leaf returns the leaf of what a plain signature covers: the prefix, as
// protocols.Network.SigningPrefix has it, and a message.
func Leaf(prefix, msg []byte) Hash {
	var space [128]byte
	space[0] = leafPrefix
	return leaf(append(space[:1], prefix...), msg)
}
