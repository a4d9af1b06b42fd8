package keytable

import (
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519/extra/cache"

	"github.com/tom-protocol/tom/protocols"
)

// maxKeys is of how many keys, the latest used, multiples are kept: 1.5 KiB each.
const maxKeys = 1024

// asStandard has signatures judged as crypto/ed25519 does.
var asStandard = &ed25519.Options{Verify: ed25519.VerifyOptionsStdLib}

// Verifier verifies signatures on one network. It is safe for concurrent use.
type Verifier struct {
	protocols.Network
	keys *cache.Verifier
}

// New returns a verifier for one network.
func New(n protocols.Network) *Verifier {
	return &Verifier{Network: n, keys: cache.NewVerifier(cache.NewLRUCache(maxKeys))}
}

// Verify says whether sig is k's signature over msg under the tag.
func (v *Verifier) Verify(k protocols.Key, tag protocols.Tag, msg, sig []byte) bool {
	if len(sig) != protocols.SignatureSize || !k.Usable() {
		return false
	}
	return v.keys.VerifyWithOptions(k[:], v.SigningBytes(nil, tag, msg), sig, asStandard)
}
