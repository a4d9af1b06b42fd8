package proof

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/cache"
)

// rootLimits bound the remembered roots: 32 bytes each.
var rootLimits = cache.Limits{Authors: 1024, PerAuthor: 32}

// Verifier verifies proofs. It remembers the roots of batches whose signature
// it verified, so a batch costs one Ed25519 operation; the path of each member
// is computed anew all the same. It is safe for concurrent use.
type Verifier struct {
	network protocols.Network
	roots   *cache.ByAuthor[Hash, struct{}]
	turns   [16]sync.Mutex // one verification of a root at a time, by its hash
}

// NewVerifier returns a verifier for one network.
func NewVerifier(n protocols.Network) *Verifier {
	return &Verifier{network: n, roots: cache.New[Hash, struct{}](rootLimits)}
}

// Network returns the network whose signatures are verified.
func (v *Verifier) Network() protocols.Network { return v.network }

// Verify checks that proof is the author's for msg under the tag.
func (v *Verifier) Verify(author protocols.Key, tag protocols.Tag, msg, proof []byte) error {
	p, err := parse(proof)
	if err != nil {
		return err
	}
	if p.size == 0 {
		return verdict(v.network.Verify(author, tag, msg, p.signature))
	}
	return v.verifyRoot(author, p.root(v.leaf(tag, msg)))
}

func (v *Verifier) verifyRoot(author protocols.Key, r Root) error {
	id := r.id(author)
	if _, _, ok := v.roots.Get(author, id); ok {
		return nil
	}
	// Members of one batch often arrive at several workers at once: the first
	// verifies, the others wait for it.
	turn := &v.turns[id[0]%byte(len(v.turns))]
	turn.Lock()
	defer turn.Unlock()
	t := together{v: v}
	t.addRoot(author, r)
	return t.verify()
}

func (v *Verifier) leaf(tag protocols.Tag, msg []byte) Hash {
	var space [128]byte
	return Leaf(v.network.SigningPrefix(space[:0], tag), msg)
}

// root is what the author of a batch signed if a leaf is in it where the proof says.
func (p parsed) root(leaf Hash) Root {
	return Root{p.size, climb(leaf, p.path, p.size, p.index), [protocols.SignatureSize]byte(p.signature)}
}

// id names a root that was verified: SHA-256(author ‖ size ‖ root ‖ signature).
func (r Root) id(author protocols.Key) Hash {
	var b [protocols.KeySize + 2 + sha256.Size + protocols.SignatureSize]byte
	n := copy(b[:], author[:])
	binary.BigEndian.PutUint16(b[n:], uint16(r.size))
	n += 2
	n += copy(b[n:], r.hash[:])
	copy(b[n:], r.signature[:])
	return sha256.Sum256(b[:])
}

func verdict(ok bool) error {
	if !ok {
		return ErrProof
	}
	return nil
}
