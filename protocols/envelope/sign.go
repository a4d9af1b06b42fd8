package envelope

import (
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/proof"
)

// Sign sets the proof of each envelope: a plain signature for one, a batch
// proof for several, whatever their recipients. All must be the signer's own.
func Sign(s protocols.Signer, es []*Envelope) {
	items := make([]proof.Item, len(es))
	for i, e := range es {
		items[i] = proof.Item{Tag: protocols.TagEnvelope, Message: e.signed}
	}
	for i, p := range proof.Sign(s, items) {
		es[i].Proof = p
	}
}

// Verifier verifies proofs of envelopes. It is safe for concurrent use.
type Verifier struct{ proofs *proof.Verifier }

// NewVerifier returns a verifier for one network.
func NewVerifier(n protocols.Network) *Verifier {
	return &Verifier{proofs: proof.NewVerifier(n)}
}

// Verify checks that the envelope is its author's. The error is
// proof.ErrProof.
func (v *Verifier) Verify(e *Envelope) error {
	return v.proofs.Verify(e.From, protocols.TagEnvelope, e.signed, e.Proof)
}
