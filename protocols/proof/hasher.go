package proof

import (
	"crypto/sha256"

	"github.com/tom-protocol/tom/protocols"
)

// smallLeaf is how long a message may be for its leaf to be put together on
// the stack, which is faster than hashing it in parts.
const smallLeaf = 1024

// hasher computes leaves. The prefix of tag and network is the same for most
// of them: it is put together once.
type hasher struct {
	tag     protocols.Tag
	network protocols.Network
	prefix  []byte
}

func (h *hasher) leaf(n protocols.Network, tag protocols.Tag, msg []byte) Hash {
	if h.prefix == nil || h.tag != tag || h.network != n {
		h.tag, h.network = tag, n
		h.prefix = n.SigningPrefix([]byte{leafPrefix}, tag)
	}
	return leaf(h.prefix, msg)
}

// leaf returns SHA-256(prefix ‖ msg).
func leaf(prefix, msg []byte) Hash {
	if len(prefix)+len(msg) <= smallLeaf {
		var space [smallLeaf]byte
		n := copy(space[:], prefix)
		n += copy(space[n:], msg)
		return sha256.Sum256(space[:n])
	}
	d := sha256.New()
	d.Write(prefix)
	d.Write(msg)
	var out Hash
	d.Sum(out[:0])
	return out
}
