package backup

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tom-protocol/tom/protocols"
)

// Limits of frames.
const (
	MaxHolders = 8    // that an envelope may have
	MaxOffer   = 1024 // envelopes that one offer may name
)

// ErrFrame is returned for what is no frame of the protocol.
var ErrFrame = errors.New("not a valid backup frame")

// Number pairs an answer with what was asked. Who asks chooses it.
type Number uint64

// A Frame is one question: *Store, *Fetch, *Audit, *Drop, *Offer or *Holders.
type Frame interface {
	// Append appends the encoded frame, numbered n.
	Append(dst []byte, n Number) []byte
}

// The types of frame.
const (
	typeStore   = 1
	typeFetch   = 2
	typeAudit   = 3
	typeDrop    = 4
	typeOffer   = 5
	typeHolders = 6
)

// ParseFrame reads a question and its number. Byte strings in it alias b. One
// of an unknown type is protocols.ErrFrameType.
func ParseFrame(b []byte) (Number, Frame, error) {
	kind, err := protocols.FrameType(b)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	parse, ok := parsers[kind]
	if !ok {
		return 0, nil, protocols.ErrFrameType
	}
	n, f, err := parse(b)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	return n, f, nil
}

var parsers = map[uint64]func(b []byte) (Number, Frame, error){
	typeStore: parseStore, typeFetch: parseFetch, typeAudit: parseAudit,
	typeDrop: parseDrop, typeOffer: parseOffer, typeHolders: parseHolders,
}

// keysOf makes a list of holders of what was read: usable keys, none twice.
func keysOf(raw [][32]byte) ([]protocols.Key, error) {
	keys := make([]protocols.Key, 0, len(raw))
	for _, r := range raw {
		k := protocols.Key(r)
		if !k.Usable() || slices.Contains(keys, k) {
			return nil, errKey
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func rawKeys(keys []protocols.Key) [][32]byte {
	raw := make([][32]byte, len(keys))
	for i, k := range keys {
		raw[i] = k
	}
	return raw
}
