package senderkey

import (
	"crypto/cipher"
	"crypto/sha256"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// secret is a state of a chain, or the key of one message.
type secret [32]byte

// derive is HMAC-SHA-256 of one byte, put together here: each message takes two of
// them, and hmac.New allocates more than it computes for so little.
func (s secret) derive(label byte) secret {
	var inner [sha256.BlockSize + 1]byte
	var outer [sha256.BlockSize + sha256.Size]byte
	for i := range sha256.BlockSize {
		inner[i], outer[i] = 0x36, 0x5c
	}
	for i, b := range s {
		inner[i] ^= b
		outer[i] ^= b
	}
	inner[sha256.BlockSize] = label
	sum := sha256.Sum256(inner[:])
	copy(outer[sha256.BlockSize:], sum[:])
	return sha256.Sum256(outer[:])
}

func (s secret) key() secret  { return s.derive(1) }
func (s secret) next() secret { return s.derive(2) }

func (s secret) aead() cipher.AEAD {
	a, err := chacha20poly1305.NewX(s[:])
	if err != nil {
		panic(err) // the length is right
	}
	return a
}

// Record is what a message's ciphertext is bound to, besides its chain. Whoever seals
// two messages under one key, which a device that was put back to an earlier state
// would, does it for two ids, or at two times.
type Record struct {
	Group  wire.GroupID
	ID     wire.RecordID
	Author protocols.Key
	Time   wire.Millis
}

func (r Record) nonce() []byte { return wire.MessageNonce(r.ID, r.Time) }

func (r Record) aad(c wire.ChainID, i wire.Index, roster wire.RosterHash) []byte {
	return wire.MessageAAD(r.Group, r.ID, r.Author, c, i, roster)
}
