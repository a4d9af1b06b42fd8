package bare

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// verify checks the proof, plain or of a batch.
func (e *Envelope) verify(network string) error {
	covered := signingBytes(network, "tom-envelope-v1", e.signed)
	sig := e.Proof[1:]
	switch {
	case e.Proof[0] == 0 && len(sig) == ed25519.SignatureSize:
	case e.Proof[0] == 1 && len(sig) >= 68:
		size, index := binary.BigEndian.Uint16(sig), binary.BigEndian.Uint16(sig[66:])
		root, ok := rootOf(hash(0, covered), int(index), int(size), sig[68:])
		if !ok {
			return errSignature
		}
		covered = signingBytes(network, "tom-batch-v1", slices.Concat(sig[:2], root))
		sig = sig[2:66]
	default:
		return errSignature
	}
	if !verify(e.From, covered, sig) {
		return errSignature
	}
	return nil
}

// rootOf climbs from a leaf to the root. ok is false if path does not fit.
func rootOf(h []byte, index, size int, path []byte) (root []byte, ok bool) {
	if index >= size || size > 1024 || len(path)%32 != 0 {
		return nil, false
	}
	for last := size - 1; last > 0; index, last = index/2, last/2 {
		if index%2 == 0 && index == last {
			continue
		}
		if len(path) == 0 {
			return nil, false
		}
		if index%2 == 1 {
			h = hash(1, path[:32], h)
		} else {
			h = hash(1, h, path[:32])
		}
		path = path[32:]
	}
	return h, len(path) == 0
}

func hash(first byte, parts ...[]byte) []byte {
	h := sha256.Sum256(append([]byte{first}, slices.Concat(parts...)...))
	return h[:]
}
