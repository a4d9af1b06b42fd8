package wire

import (
	"crypto/sha256"
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// Entry is a place of the log: a record, and where it stood before a merge.
//
//	0 record  [7 elements]  see Record
//	1 old     nil, or [number uint, primary bin 32, seq uint, head bin?]
type Entry struct {
	Record *Record
	Old    *Old     // nil: this is where it was accepted first
	exact  []byte   // of one that came in a part
	sum    [32]byte // of summed
	summed []byte
}

// Old is where an entry stood in a branch that lost.
type Old struct {
	Place
	Head []byte // the head that covered it there; nil once it is 24 h old
}

// MaxEntry is the length of the longest entry, in bytes.
const MaxEntry = MaxRecord + 2 + 1 + 9 + 34 + 9 + 3 + MaxHead

func (e *Entry) count() int { return 2 }

func (e *Entry) appendFields(dst []byte) []byte {
	dst = appendArray(dst, e.Record)
	if e.Old == nil {
		return msgp.AppendNil(dst)
	}
	dst = msgp.AppendArrayHeader(dst, 4)
	dst = e.Old.appendFields(dst)
	return appendOptionalBin(dst, e.Old.Head)
}

func (e *Entry) readFields(d *decoder) {
	e.Record = new(Record)
	from := d.left
	d.array(e.Record.count())
	e.Record.readFields(d)
	if d.err == nil {
		e.Record.keep(from[:len(from)-len(d.left)])
	}
	if d.none() {
		return
	}
	e.Old = new(Old)
	d.array(4)
	e.Old.readFields(d)
	e.Old.Head = d.optionalBin(MaxHead)
}

// Append appends the encoded entry.
func (e *Entry) Append(dst []byte) []byte { return appendArray(dst, e) }

// Bytes returns the encoded entry. It must not be changed.
func (e *Entry) Bytes() []byte {
	if e.exact != nil {
		return e.exact
	}
	return e.Append(nil)
}

// Sum returns the SHA-256 of the entry's bytes, which are at hand: it is computed once
// for the head's sake and once more for the log's.
func (e *Entry) Sum(b []byte) [32]byte {
	if len(b) == 0 || len(e.summed) != len(b) || &e.summed[0] != &b[0] {
		e.sum, e.summed = sha256.Sum256(b), b
	}
	return e.sum
}

// ParseEntry reads an entry, whose record's proof is not verified. The result
// aliases b, which must stay as it is.
func ParseEntry(b []byte) (*Entry, error) {
	e := new(Entry)
	if err := parseExact(b, MaxEntry, e); err != nil {
		return nil, fmt.Errorf("entry: %w", err)
	}
	if len(e.Record.exact) > MaxRecord {
		return nil, fmt.Errorf("entry: %w: its record is too long", ErrForm)
	}
	return e, nil
}
