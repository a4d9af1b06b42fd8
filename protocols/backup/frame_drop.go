package backup

import (
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
)

// Drop brings a holder the recipient's receipt, of whatever kind: its envelopes
// are to be destroyed. The answer is Done.
type Drop struct {
	Receipt []byte // as ack.Sign returned it
}

const dropFields = 3

// Append appends the encoded frame, numbered n.
func (f *Drop) Append(dst []byte, n Number) []byte {
	w := wireDrop{Type: typeDrop, N: uint64(n), Receipt: f.Receipt}
	dst, _ = w.MarshalMsg(dst) // it has no error to return
	return dst
}

func parseDrop(b []byte) (Number, Frame, error) {
	var w wireDrop
	if err := protocols.ReadTuple(b, dropFields, &w); err != nil {
		return 0, nil, err
	}
	if len(w.Receipt) > ack.MaxReceipt {
		return 0, nil, errLong
	}
	return Number(w.N), &Drop{Receipt: w.Receipt}, nil
}
