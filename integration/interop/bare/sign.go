package bare

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"slices"
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
		!ed25519.Verify(key, signingBytes(network, tag, b[1:end]), b[end+2:]) {
		return errSignature
	}
	return nil
}
