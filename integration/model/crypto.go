package model

import (
	"crypto/sha256"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/proof"
)

// signer signs with a hash of key and message.
type signer struct{ key protocols.Key }

func (s signer) Public() protocols.Key      { return s.key }
func (s signer) Network() protocols.Network { return "model" }

func (s signer) Sign(tag protocols.Tag, msg []byte) protocols.Signature { return mark(s.key, tag, msg) }

func mark(k protocols.Key, tag protocols.Tag, msg []byte) (sig protocols.Signature) {
	b := make([]byte, 0, len(k)+len(tag)+len(msg))
	h := sha256.Sum256(append(append(append(b, k[:]...), tag...), msg...))
	copy(sig[:], h[:])
	return sig
}

// verifier verifies such signatures, of structures and of records.
type verifier struct{ protocols.Network }

func (verifier) Verify(k protocols.Key, tag protocols.Tag, msg, sig []byte) bool {
	want := mark(k, tag, msg)
	return string(want[:]) == string(sig)
}

func (v verifier) VerifyAll(list []protocols.Signed) []bool {
	good := make([]bool, len(list))
	for i, s := range list {
		good[i] = v.Verify(s.Key, s.Tag, s.Msg, s.Sig)
	}
	return good
}

type prover struct{}

// VerifyAll knows plain proofs alone: nobody signs batches here.
func (prover) VerifyAll(claims []proof.Claim) error {
	for _, c := range claims {
		want := mark(c.Author, c.Tag, c.Message)
		if len(c.Proof) != 1+len(want) || string(c.Proof[1:]) != string(want[:]) {
			return proof.ErrProof
		}
	}
	return nil
}

// keyOf returns the key of the nth node: usable, and nobody's.
func keyOf(n int) protocols.Key {
	k := protocols.Key(sha256.Sum256([]byte{'n', byte(n), byte(n >> 8)}))
	k[31] &= 0x3f
	return k
}
