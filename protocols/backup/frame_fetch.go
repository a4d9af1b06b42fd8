package backup

import (
	"errors"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Fetch asks a holder for the mail of whoever asks, in the order of digests.
// The answer is Envelopes.
type Fetch struct {
	After *envelope.Digest // the last one of the page before; nil from the start
}

const fetchFields = 3

// Append appends the encoded frame, numbered n.
func (f *Fetch) Append(dst []byte, n Number) []byte {
	w := wireFetch{Type: typeFetch, N: uint64(n)}
	if f.After != nil {
		w.After = f.After[:]
	}
	dst, _ = w.MarshalMsg(dst) // it has no error to return
	return dst
}

func parseFetch(b []byte) (Number, Frame, error) {
	var w wireFetch
	if err := protocols.ReadTuple(b, fetchFields, &w); err != nil {
		return 0, nil, err
	}
	f := new(Fetch)
	switch len(w.After) {
	case 0:
	case len(envelope.Digest{}):
		f.After = (*envelope.Digest)(w.After)
	default:
		return 0, nil, errors.New("a digest of a wrong length")
	}
	return Number(w.N), f, nil
}
