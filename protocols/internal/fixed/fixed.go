// Package fixed holds the keys and other values that golden files and tests
// use, so that what they hold can be made again elsewhere.
package fixed

import (
	"crypto/ed25519"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// Bytes returns n bytes that count up from first.
func Bytes(first byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

// Array32 returns 32 bytes that count up from first.
func Array32(first byte) [32]byte { return [32]byte(Bytes(first, 32)) }

// The identities: seeds that count up from their first byte.
var (
	AuthorSeed    = Bytes(0x10, ed25519.SeedSize)
	RecipientSeed = Bytes(0x30, ed25519.SeedSize)
	OtherSeed     = Bytes(0x50, ed25519.SeedSize)
)

// Created is the time of everything that is made.
var Created = time.UnixMilli(1_790_000_000_123)

// Signer returns the signer with a seed.
func Signer(n protocols.Network, seed []byte) protocols.Signer {
	return protocols.NewSigner(n, ed25519.NewKeyFromSeed(seed))
}

// Author returns the author's signer on the network main.
func Author() protocols.Signer { return Signer(protocols.Main, AuthorSeed) }

// Recipient returns the recipient's signer on the network main.
func Recipient() protocols.Signer { return Signer(protocols.Main, RecipientSeed) }

// Other returns a third one's signer on the network main.
func Other() protocols.Signer { return Signer(protocols.Main, OtherSeed) }
