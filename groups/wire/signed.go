package wire

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// ErrSignature is returned for a structure that its key did not sign.
var ErrSignature = errors.New("the signature does not verify")

// A Verifier says whether a signature is good. protocols.Network is one.
type Verifier interface {
	Verify(k protocols.Key, tag protocols.Tag, msg, sig []byte) bool
	// VerifyAll says the same of many, which takes less time.
	VerifyAll(list []protocols.Signed) []bool
	// SigningPrefix appends what stands before msg in what is signed.
	SigningPrefix(dst []byte, tag protocols.Tag) []byte
}

// fields are the elements of an array, in order, without its header.
type fields interface {
	count() int
	appendFields(dst []byte) []byte
	readFields(d *decoder)
}

// statement is what a signed structure says.
type statement interface {
	fields
	tag() protocols.Tag
	signer() protocols.Key
	keep(exact []byte, hash [32]byte)
}

// signed is in every structure that came through its verifier.
type signed struct {
	exact []byte
	hash  [32]byte
}

func (s *signed) keep(exact []byte, hash [32]byte) { s.exact, s.hash = exact, hash }

// Bytes returns the structure exactly as it was signed, to be passed on. It
// must not be changed. It is nil for one that was not parsed.
func (s *signed) Bytes() []byte { return s.exact }

// appendArray appends a whole array.
func appendArray(dst []byte, f fields) []byte {
	return f.appendFields(msgp.AppendArrayHeader(dst, uint32(f.count())))
}

// parseExact reads an array that has exactly the elements known and one
// encoding only.
func parseExact(b []byte, limit int, f fields) error {
	if len(b) > limit {
		return fmt.Errorf("%w: too long", ErrForm)
	}
	d := decoder{left: b}
	d.array(f.count())
	f.readFields(&d)
	if err := d.end(); err != nil {
		return err
	}
	space := scratch.Get().(*[]byte)
	defer scratch.Put(space)
	if cap(*space) < len(b) {
		*space = make([]byte, 0, len(b))
	}
	again := appendArray((*space)[:0], f)
	same := bytes.Equal(again, b)
	clear(again) // keys may have been in it
	if !same {
		return fmt.Errorf("%w: not in its shortest form", ErrForm)
	}
	return nil
}

// scratch are buffers in which what was read is encoded again, to be compared.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// withSignature is a statement and the signature as its last element.
type withSignature struct {
	statement
	sig protocols.Signature
}

func (w *withSignature) count() int { return w.statement.count() + 1 }

func (w *withSignature) appendFields(dst []byte) []byte {
	return msgp.AppendBytes(w.statement.appendFields(dst), w.sig[:])
}

func (w *withSignature) readFields(d *decoder) {
	w.statement.readFields(d)
	d.fixed(w.sig[:])
}

// sign returns the signed structure.
func sign(s protocols.Signer, st statement) []byte {
	b := appendArray(nil, &withSignature{statement: st})
	protocols.SignStructure(s, st.tag(), b)
	return b
}

// verified reads b, of at most limit bytes, into st and verifies its signature.
func verified[S statement](v Verifier, b []byte, limit int, st S) (none S, err error) {
	w := withSignature{statement: st}
	if err := parseExact(b, limit, &w); err != nil {
		return none, err
	}
	body := protocols.StructureBody(b)
	if !v.Verify(st.signer(), st.tag(), body, w.sig[:]) {
		return none, ErrSignature
	}
	st.keep(bytes.Clone(b), hashOf(v, st.tag(), body))
	return st, nil
}

// hashOf returns the hash of a signed structure: SHA-256 of what was signed,
// prefix included.
func hashOf(v Verifier, tag protocols.Tag, body []byte) [32]byte {
	return sha256.Sum256(append(v.SigningPrefix(make([]byte, 0, 64+len(body)), tag), body...))
}
