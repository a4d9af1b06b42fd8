package envelope

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"

	"filippo.io/edwards25519"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/tom-protocol/tom/protocols"
)

// Suite 1 is X25519, HKDF-SHA256, XChaCha20-Poly1305.
const suite = 1

const (
	ephemeralSize = 32
	keySize       = 1 + 8 + ephemeralSize
	nonceSize     = chacha20poly1305.NonceSizeX
	minBody       = nonceSize + chacha20poly1305.Overhead
	sealInfo      = "tom-seal-v1"
)

// maxSignedOverhead is how much longer fields 0 to 7 are than the plaintext.
const maxSignedOverhead = maxHead + 5 + minBody

// maxPathOverhead is what fields 8 to 10 and the array's header may add.
const maxPathOverhead = 1 + (3 + maxProof) + (1 + MaxHops*viaSize) + 1

// MaxPlaintext is the length of the longest plaintext that can be sealed, in
// bytes: with a batch proof and MaxHops relays it fills MaxSize.
const MaxPlaintext = MaxSize - maxSignedOverhead - maxPathOverhead

// Recipient is a key to seal to: whose it is and which.
type Recipient struct {
	Node   protocols.Key
	Prekey PrekeyID
	Public [32]byte // X25519
}

// IdentityRecipient returns the recipient's identity key as one to seal to,
// mapped to X25519 as RFC 7748 section 4.1 has it. What is sealed to it is not
// forward secret.
func IdentityRecipient(node protocols.Key) (Recipient, error) {
	p, err := new(edwards25519.Point).SetBytes(node[:])
	if err != nil || !node.Usable() {
		return Recipient{}, protocols.ErrKey
	}
	return Recipient{Node: node, Public: [32]byte(p.BytesMontgomery())}, nil
}

// deriveKey computes the key of the AEAD from the shared secret.
func deriveKey(shared, ephemeral, public [32]byte, from, to protocols.Key) ([]byte, error) {
	if shared == [32]byte{} {
		return nil, errors.New("the shared secret is zero")
	}
	salt := append(ephemeral[:], public[:]...)
	info := append([]byte(sealInfo), suite)
	info = append(append(info, from[:]...), to[:]...)
	return hkdf.Key(sha256.New, shared[:], salt, string(info), chacha20poly1305.KeySize)
}

func newAEAD(shared, ephemeral, public [32]byte, from, to protocols.Key) (cipher.AEAD, error) {
	key, err := deriveKey(shared, ephemeral, public, from, to)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return chacha20poly1305.NewX(key)
}
