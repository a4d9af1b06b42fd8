package backup

import (
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Store asks to keep an envelope. The answer is Stored, Busy, Refused or Gone.
type Store struct {
	Envelope  []byte          // encoded, without relays and hops
	Holders   []protocols.Key // who else holds it or is asked to, at most MaxHolders
	Admission []byte          // as SignAdmission returned it; nil for none
}

const storeFields = 5

// Append appends the encoded frame, numbered n.
func (f *Store) Append(dst []byte, n Number) []byte {
	w := wireStore{Type: typeStore, N: uint64(n), Envelope: f.Envelope, Holders: rawKeys(f.Holders), Admission: f.Admission}
	dst, _ = w.MarshalMsg(dst) // it has no error to return
	return dst
}

func parseStore(b []byte) (Number, Frame, error) {
	var w wireStore
	if err := protocols.ReadTuple(b, storeFields, &w); err != nil {
		return 0, nil, err
	}
	if len(w.Envelope) > envelope.MaxSize || len(w.Admission) > AdmissionSize {
		return 0, nil, errLong
	}
	keys, err := keysOf(w.Holders)
	return Number(w.N), &Store{Envelope: w.Envelope, Holders: keys, Admission: w.Admission}, err
}
