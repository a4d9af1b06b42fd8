package ack

import (
	"errors"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Kind is what a receipt says of its envelopes.
type Kind uint8

// The kinds of receipt.
const (
	Delivered  Kind = 1 // durably in the recipient's inbox
	Read       Kind = 2 // read there
	Unopenable Kind = 3 // verified but sealed to a key the recipient no longer has
	Got        Kind = 4 // an envelope that carried receipts has arrived
)

var kindNames = [...]string{"unknown", "delivered", "read", "unopenable", "got"}

// String returns the kind in one word.
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return kindNames[0]
	}
	return kindNames[k]
}

// MaxEntries is how many envelopes one receipt may name.
const MaxEntries = 64

// MaxReceipt is the length of the longest receipt, in bytes.
const MaxReceipt = 1 + 1 + 2*34 + 9 + 3 + MaxEntries*(1+18+18) + 66

// ErrReceipt is returned for what is no receipt, or does not verify.
var ErrReceipt = errors.New("not a valid receipt")

// Entry names one envelope.
type Entry struct {
	ID     envelope.ID
	Digest [16]byte // envelope.Digest.Short
}

// Receipt is a recipient's word on envelopes of one author.
type Receipt struct {
	Kind    Kind
	From    protocols.Key // the recipient of the envelopes
	To      protocols.Key // their author
	Time    uint64        // milliseconds since the epoch, by the recipient's clock
	Entries []Entry       // 1 to MaxEntries
}

// At returns when the recipient says it signed.
func (r *Receipt) At() time.Time { return time.UnixMilli(int64(r.Time)) }

// Sign returns the signed receipt. From is the signer's key whatever r says.
func Sign(s protocols.Signer, r Receipt) []byte {
	w := wire{Kind: uint8(r.Kind), From: s.Public(), To: r.To, Time: r.Time, Entries: make([]wireEntry, len(r.Entries))}
	for i, e := range r.Entries {
		w.Entries[i] = wireEntry{ID: e.ID, Digest: e.Digest}
	}
	b, _ := w.MarshalMsg(nil) // it has no error to return
	protocols.SignStructure(s, protocols.TagReceipt, b)
	return b
}

// Parse reads a receipt and verifies its signature.
func Parse(n protocols.Network, b []byte) (*Receipt, error) {
	if len(b) > MaxReceipt {
		return nil, refused("too long")
	}
	var w wire
	left, err := w.UnmarshalMsg(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	if len(left) > 0 || !protocols.Canonical(&w, b) {
		return nil, refused("not in its shortest form")
	}
	r := fromWire(&w)
	if err := r.check(); err != nil {
		return nil, err
	}
	if !n.VerifyStructure(r.From, protocols.TagReceipt, b) {
		return nil, refused("not signed by the recipient")
	}
	return r, nil
}

func refused(what string) error { return fmt.Errorf("%w: %s", ErrReceipt, what) }

func fromWire(w *wire) *Receipt {
	r := &Receipt{Kind: Kind(w.Kind), From: w.From, To: w.To, Time: w.Time, Entries: make([]Entry, len(w.Entries))}
	for i, e := range w.Entries {
		r.Entries[i] = Entry{ID: e.ID, Digest: e.Digest}
	}
	return r
}

// maxMillis is the largest time an envelope or receipt may bear.
const maxMillis = 1<<48 - 1

func (r *Receipt) check() error {
	switch {
	case r.Kind < Delivered || r.Kind > Got:
		return refused("a kind that is not known")
	case !r.From.Usable() || !r.To.Usable():
		return refused("an unusable key")
	case r.Time > maxMillis:
		return refused("a time out of bounds")
	case len(r.Entries) == 0:
		return refused("no entries")
	}
	return nil
}
