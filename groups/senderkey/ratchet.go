package senderkey

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// secret is a state of a chain, or the key of one message.
type secret [32]byte

func (s secret) derive(label byte) secret {
	m := hmac.New(sha256.New, s[:])
	m.Write([]byte{label})
	return secret(m.Sum(nil))
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

// Record is what a message's ciphertext is bound to, besides its chain.
type Record struct {
	Group  wire.GroupID
	ID     wire.RecordID
	Author protocols.Key
}

func (r Record) aad(c wire.ChainID, i wire.Index, roster wire.RosterHash) []byte {
	return wire.MessageAAD(r.Group, r.ID, r.Author, c, i, roster)
}
