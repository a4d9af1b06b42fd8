package backup

import (
	"crypto/sha256"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// A Nonce makes every audit a question that only who holds the envelope can
// answer.
type Nonce [32]byte

// Audit asks a holder to prove that it holds an envelope. The answer is Hash,
// or Gone.
type Audit struct {
	Digest envelope.Digest
	Nonce  Nonce
}

// Proof is the answer to an audit: SHA-256(nonce ‖ envelope), of an envelope
// encoded without relays and hops.
func Proof(n Nonce, encoded []byte) [32]byte {
	h := sha256.New()
	h.Write(n[:])
	h.Write(encoded)
	return [32]byte(h.Sum(nil))
}

const auditFields = 4

// Append appends the encoded frame, numbered n.
func (f *Audit) Append(dst []byte, n Number) []byte {
	w := wireAudit{Type: typeAudit, N: uint64(n), Digest: f.Digest, Nonce: f.Nonce}
	dst, _ = w.MarshalMsg(dst) // it has no error to return
	return dst
}

func parseAudit(b []byte) (Number, Frame, error) {
	var w wireAudit
	err := protocols.ReadTuple(b, auditFields, &w)
	return Number(w.N), &Audit{Digest: w.Digest, Nonce: w.Nonce}, err
}
