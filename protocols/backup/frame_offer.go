package backup

import (
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Offer says what a holder that returns, or is about to leave, has. The answer
// is Gone if some of it was delivered meanwhile, and what is left may be offered
// again; otherwise it is Wanted.
type Offer struct {
	Held []Held // at most MaxOffer
}

// Held names one envelope that is held.
type Held struct {
	Digest envelope.Digest
	End    uint64 // milliseconds since the epoch
}

const offerFields = 3

// Append appends the encoded frame, numbered n.
func (f *Offer) Append(dst []byte, n Number) []byte {
	w := wireOffer{Type: typeOffer, N: uint64(n), Held: make([]wireHeld, len(f.Held))}
	for i, h := range f.Held {
		w.Held[i] = wireHeld{Digest: h.Digest, End: h.End}
	}
	dst, _ = w.MarshalMsg(dst) // it has no error to return
	return dst
}

func parseOffer(b []byte) (Number, Frame, error) {
	var w wireOffer
	if err := protocols.ReadTuple(b, offerFields, &w); err != nil {
		return 0, nil, err
	}
	f := &Offer{Held: make([]Held, len(w.Held))}
	for i, h := range w.Held {
		if h.End > maxMillis {
			return 0, nil, errTime
		}
		f.Held[i] = Held{Digest: h.Digest, End: h.End}
	}
	return Number(w.N), f, nil
}
