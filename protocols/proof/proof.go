package proof

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/tom-protocol/tom/protocols"
)

// The kinds of proof: the first byte.
const (
	plain = 0
	batch = 1
)

const (
	plainSize   = 1 + protocols.SignatureSize
	batchHeader = 1 + 2 + protocols.SignatureSize + 2
	maxPath     = 10 // for MaxBatch members
)

// MaxSize is the length of the longest proof in bytes.
const MaxSize = batchHeader + maxPath*sha256.Size

// ErrProof is returned for a proof that does not prove the author's signature.
var ErrProof = errors.New("the proof does not verify")

// A parsed proof. A plain one has size 0.
type parsed struct {
	size, index int
	signature   []byte
	path        []byte
}

// parse takes a proof apart and checks that its length is the one due.
func parse(b []byte) (parsed, error) {
	switch {
	case len(b) == plainSize && b[0] == plain:
		return parsed{signature: b[1:]}, nil
	case len(b) >= batchHeader && b[0] == batch:
		return parseBatch(b)
	default:
		return parsed{}, ErrProof
	}
}

func parseBatch(b []byte) (parsed, error) {
	p := parsed{
		size:      int(binary.BigEndian.Uint16(b[1:])),
		signature: b[3 : 3+protocols.SignatureSize],
		index:     int(binary.BigEndian.Uint16(b[3+protocols.SignatureSize:])),
		path:      b[batchHeader:],
	}
	if p.size == 0 || p.size > MaxBatch || p.index >= p.size {
		return parsed{}, ErrProof
	}
	if len(p.path) != pathLen(p.size, p.index)*sha256.Size {
		return parsed{}, ErrProof
	}
	return p, nil
}

// Check says whether b has the form of a proof, without verifying it.
func Check(b []byte) error {
	_, err := parse(b)
	return err
}

// rootStatement is what the author of a batch signs.
func rootStatement(size int, root Hash) [2 + sha256.Size]byte {
	var b [2 + sha256.Size]byte
	binary.BigEndian.PutUint16(b[:], uint16(size))
	copy(b[2:], root[:])
	return b
}
