package bare

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"errors"
	"slices"

	"filippo.io/edwards25519"
)

func signingBytes(network, tag string, m []byte) []byte {
	// Both are shorter than 128, so their lengths are uvarints of one byte.
	return slices.Concat([]byte{byte(len(tag))}, []byte(tag), []byte{byte(len(network))}, []byte(network), m)
}

// structure completes a signed structure of n elements from its fields.
func structure(key ed25519.PrivateKey, network, tag string, n int, fields pack) []byte {
	sig := ed25519.Sign(key, signingBytes(network, tag, fields))
	return pack(slices.Concat(pack{}.array(n+1), fields)).bin(sig)
}

var errSignature = errors.New("the signature does not verify")

// verifyStructure verifies the signature that ends a structure.
func verifyStructure(key ed25519.PublicKey, network, tag string, b []byte) error {
	end := len(b) - 66
	if end < 1 || !bytes.Equal(b[end:end+2], []byte{0xc4, 64}) ||
		!verify(key, signingBytes(network, tag, b[1:end]), b[end+2:]) {
		return errSignature
	}
	return nil
}

// verify judges a signature with the factor 8, which crypto/ed25519 leaves out.
func verify(key ed25519.PublicKey, m, sig []byte) bool {
	if len(sig) != ed25519.SignatureSize {
		return false
	}
	a, okA := point(key)
	r, okR := point(sig[:32])
	s, err := edwards25519.NewScalar().SetCanonicalBytes(sig[32:])
	if !okA || !okR || err != nil || small(a) {
		return false
	}
	h := sha512.Sum512(slices.Concat(sig[:32], key, m))
	k, err := edwards25519.NewScalar().SetUniformBytes(h[:])
	if err != nil {
		return false
	}
	diff := new(edwards25519.Point).VarTimeDoubleScalarBaseMult(k, new(edwards25519.Point).Negate(a), s)
	return small(diff.Subtract(diff, r))
}

// point reads a point that is written in its canonical form.
func point(b []byte) (*edwards25519.Point, bool) {
	p, err := new(edwards25519.Point).SetBytes(b)
	return p, err == nil && bytes.Equal(p.Bytes(), b)
}

// small says whether eight times a point is nothing.
func small(p *edwards25519.Point) bool {
	return new(edwards25519.Point).MultByCofactor(p).Equal(edwards25519.NewIdentityPoint()) == 1
}
