package envelope

import (
	"bytes"
	"errors"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// pathless is how an encoded envelope ends that names no relay and has passed
// none.
var pathless = []byte{0x90, 0x00}

// ErrPath is returned for an envelope that has a path already.
var ErrPath = errors.New("the envelope has a path")

// WithVia returns a copy of an encoded envelope that names relays to pass. It
// neither parses nor verifies: the envelope is one that was encoded here, with
// no path.
func WithVia(b []byte, via []protocols.Key) ([]byte, error) {
	signed, ok := bytes.CutSuffix(b, pathless)
	if !ok || len(via) > MaxHops {
		return nil, ErrPath
	}
	out := make([]byte, 0, len(b)+len(via)*viaSize)
	out = append(out, signed...)
	out = msgp.AppendArrayHeader(out, uint32(len(via)))
	for i := range via {
		out = msgp.AppendBytes(out, via[i][:])
	}
	return msgp.AppendUint8(out, 0), nil
}
