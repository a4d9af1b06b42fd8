package backup

import (
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Holders tells a holder who the holders of an envelope are now. The answer is
// Done, or Gone.
type Holders struct {
	Digest  envelope.Digest
	Holders []protocols.Key // at most MaxHolders
}

const holdersFields = 4

// Append appends the encoded frame, numbered n.
func (f *Holders) Append(dst []byte, n Number) []byte {
	w := wireHolders{Type: typeHolders, N: uint64(n), Digest: f.Digest, Holders: rawKeys(f.Holders)}
	dst, _ = w.MarshalMsg(dst) // it has no error to return
	return dst
}

func parseHolders(b []byte) (Number, Frame, error) {
	var w wireHolders
	if err := protocols.ReadTuple(b, holdersFields, &w); err != nil {
		return 0, nil, err
	}
	keys, err := keysOf(w.Holders)
	return Number(w.N), &Holders{Digest: w.Digest, Holders: keys}, err
}
