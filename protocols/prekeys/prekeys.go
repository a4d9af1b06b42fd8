package prekeys

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Suite is the suite of the keys: X25519.
const Suite = 1

// MaxKeys is how many days a record may have, and how many days beyond today
// its last may lie.
const MaxKeys = 9

// MaxSize is the length of the longest record, in bytes.
const MaxSize = 1 + 1 + 34 + 9 + 1 + MaxKeys*(1+5+34) + 66

// ErrRecord is returned for what is no record that this node accepts.
var ErrRecord = errors.New("not an acceptable prekey record")

// DayKey is the key to seal to on one day.
type DayKey struct {
	Day    uint32 // see DayOf
	Public [32]byte
}

// Record is a node's prekeys.
type Record struct {
	Suite uint8
	Node  protocols.Key
	Made  uint64 // milliseconds since the epoch
	Keys  []DayKey

	exact []byte
}

// ID returns the name of a prekey.
func ID(public [32]byte) envelope.PrekeyID {
	h := sha256.Sum256(public[:])
	return envelope.PrekeyID(h[:8])
}

// Sign returns the signed record of the signer's keys, which must be 1 to
// MaxKeys, by ascending day. The record of a node that is made later counts, so
// made must never run backward.
func Sign(s protocols.Signer, made time.Time, keys []DayKey) []byte {
	w := wire{Suite: Suite, Node: s.Public(), Made: uint64(made.UnixMilli()), Keys: make([]dayKey, len(keys))}
	for i, k := range keys {
		w.Keys[i] = dayKey(k)
	}
	b, _ := w.MarshalMsg(nil) // it has no error to return
	protocols.SignStructure(s, protocols.TagPrekeys, b)
	return b
}

// Parse reads a record and verifies it: its signature, and that it was made
// and begins when it could have been. A record may be older than all its keys.
func Parse(n protocols.Network, b []byte, now time.Time) (*Record, error) {
	r, err := read(b, now)
	if err == nil && !n.VerifyStructure(r.Node, protocols.TagPrekeys, b) {
		return nil, refused("not signed by its node")
	}
	return r, err
}

// ParseAll is Parse for many, whose signatures are verified together. Nil stands for
// what is refused.
func ParseAll(n protocols.Network, list [][]byte, now time.Time) []*Record {
	records, signed := make([]*Record, len(list)), make([]protocols.Signed, 0, len(list))
	for i, b := range list {
		if r, err := read(b, now); err == nil {
			records[i] = r
			signed = append(signed, protocols.SignedStructure(r.Node, protocols.TagPrekeys, r.exact))
		}
	}
	good := n.VerifyAll(signed)
	for i, r := range records {
		if r == nil {
			continue
		}
		if !good[0] {
			records[i] = nil
		}
		good = good[1:]
	}
	return records
}

// read is Parse but for the signature.
func read(b []byte, now time.Time) (*Record, error) {
	if len(b) > MaxSize {
		return nil, refused("too long")
	}
	var w wire
	left, err := w.UnmarshalMsg(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if len(left) > 0 || !protocols.Canonical(&w, b) {
		return nil, refused("not in its shortest form")
	}
	r := fromWire(&w)
	if err := r.check(now); err != nil {
		return nil, err
	}
	r.exact = append([]byte(nil), b...)
	return r, nil
}

func refused(what string) error { return fmt.Errorf("%w: %s", ErrRecord, what) }

func fromWire(w *wire) *Record {
	r := &Record{Suite: w.Suite, Node: w.Node, Made: w.Made, Keys: make([]DayKey, len(w.Keys))}
	for i, k := range w.Keys {
		r.Keys[i] = DayKey(k)
	}
	return r
}

func (r *Record) check(now time.Time) error {
	switch {
	case r.Suite != Suite:
		return refused("a suite that is not known")
	case !r.Node.Usable():
		return refused("an unusable key")
	case r.Made > uint64(now.Add(envelope.ClockSkew).UnixMilli()):
		return refused("made in the future")
	case len(r.Keys) == 0:
		return refused("no keys")
	case r.Keys[len(r.Keys)-1].Day > DayOf(now)+MaxKeys:
		return refused("keys for days too far ahead")
	}
	for i := range r.Keys[1:] {
		if r.Keys[i].Day >= r.Keys[i+1].Day {
			return refused("days not ascending")
		}
	}
	return nil
}

// Bytes returns the exact signed record, to be passed on. It must not be
// changed.
func (r *Record) Bytes() []byte { return r.exact }

// Newer says whether r is to replace old, which may be nil. Records of another
// node replace nothing.
func (r *Record) Newer(old *Record) bool {
	return old == nil || (r.Node == old.Node && r.Made > old.Made)
}

// borderSlack is how near to midnight the neighbouring day's key will do, for
// clocks that differ.
const borderSlack = 15 * time.Minute

// Choose returns the key to seal to now: the day's, or within 15 minutes of its
// border the neighbour's. ok is false if the record has neither.
func (r *Record) Choose(now time.Time) (to envelope.Recipient, ok bool) {
	for _, t := range [...]time.Time{now, now.Add(-borderSlack), now.Add(borderSlack)} {
		if k, ok := r.of(DayOf(t)); ok {
			return envelope.Recipient{Node: r.Node, Prekey: ID(k.Public), Public: k.Public}, true
		}
	}
	return envelope.Recipient{}, false
}

func (r *Record) of(n uint32) (DayKey, bool) {
	for _, k := range r.Keys {
		if k.Day == n {
			return k, true
		}
	}
	return DayKey{}, false
}
