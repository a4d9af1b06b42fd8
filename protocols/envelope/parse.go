package envelope

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/proof"
)

const (
	fields  = 11
	viaSize = 2 + protocols.KeySize
)

// Parse reads an envelope and checks its form: sizes, ranges, keys, the suite,
// the length of the proof. It verifies nothing. Fields behind the eleventh are
// ignored. The envelope aliases b, which must not be changed after.
func Parse(b []byte) (*Envelope, error) {
	if len(b) > MaxSize {
		return nil, TooLargeError{Size: len(b), Limit: MaxSize}
	}
	exact, extra, err := protocols.CutTuple(b, fields)
	if err != nil {
		return nil, malformed(err)
	}
	if len(exact) < 2 || exact[1] != Version {
		return nil, ErrVersion
	}
	var w wire
	left, err := w.UnmarshalMsg(exact)
	if err != nil {
		return nil, malformed(err)
	}
	if err := protocols.SkipExtra(left, extra); err != nil {
		return nil, malformed(err)
	}
	return fromWire(&w, exact)
}

func malformed(err error) error { return fmt.Errorf("%w: %w", ErrForm, err) }

func refused(what string) error { return fmt.Errorf("%w: %s", ErrForm, what) }

// fromWire checks what was read from b.
func fromWire(w *wire, b []byte) (*Envelope, error) {
	e := &Envelope{
		Version: w.Version, ID: w.ID, From: w.From, To: w.To,
		Created: w.Created, Lifetime: w.Lifetime,
		Key: w.Key, Body: w.Body, Proof: w.Proof,
		Hops: uint8(min(w.Hops, MaxHops)),
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	if err := e.locate(b); err != nil {
		return nil, err
	}
	return e, e.takeVia(w.Via)
}

// check checks every field but the path's.
func (e *Envelope) check() error {
	switch {
	case !e.From.Usable() || !e.To.Usable():
		return malformed(protocols.ErrKey)
	case e.Created > maxMillis:
		return refused("created too far in the future")
	case e.Lifetime == 0 || e.Lifetime > maxLifetimeSeconds:
		return refused("a lifetime out of bounds")
	case len(e.Key) != keySize || e.Key[0] != suite:
		return refused("a suite that is not known")
	case len(e.Body) < minBody:
		return refused("a body shorter than its nonce and tag")
	case proof.Check(e.Proof) != nil:
		return refused("a proof of a wrong form")
	}
	return nil
}

// locate finds the signed bytes in b and refuses what is not in its shortest
// form: one envelope has one encoding.
func (e *Envelope) locate(b []byte) error {
	var space [maxHead + msgp.BytesPrefixSize]byte
	head := e.appendHead(space[:0])
	e.head = len(head)
	head = msgp.AppendBytesHeader(head, uint32(len(e.Body)))
	if !bytes.HasPrefix(b[1:], head) {
		return refused("an integer or length not in its shortest form")
	}
	end := 1 + len(head) + len(e.Body)
	e.signed = b[1:end:end]
	return nil
}

func (e *Envelope) takeVia(via [][32]byte) error {
	if len(via) == 0 {
		return nil
	}
	e.Via = make([]protocols.Key, len(via))
	for i := range via {
		k := protocols.Key(via[i])
		if !k.Usable() || slices.Contains(e.Via[:i], k) {
			return refused("an unusable or repeated relay")
		}
		e.Via[i] = k
	}
	return nil
}

// maxHead is the largest length of fields 0 to 6 in bytes.
const maxHead = 1 + (2 + 16) + 2*(2+protocols.KeySize) + 9 + 5 + (2 + keySize)

// appendHead appends fields 0 to 6: the additional data of the ciphertext.
func (e *Envelope) appendHead(dst []byte) []byte {
	dst = msgp.AppendUint8(dst, e.Version)
	dst = msgp.AppendBytes(dst, e.ID[:])
	dst = msgp.AppendBytes(dst, e.From[:])
	dst = msgp.AppendBytes(dst, e.To[:])
	dst = msgp.AppendUint64(dst, e.Created)
	dst = msgp.AppendUint32(dst, e.Lifetime)
	return msgp.AppendBytes(dst, e.Key)
}
