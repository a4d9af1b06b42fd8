package wire

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// ErrForm is returned for bytes that are not what they are read as.
var ErrForm = errors.New("not of its form")

// decoder reads elements one after another. After the first error it returns
// zeros, so that a structure's fields are read without a check behind each.
type decoder struct {
	left     []byte
	err      error
	verifier Verifier // where records in parts are read, for their leaves
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrForm, what)
	}
	d.left = nil
}

// took takes the outcome of one of msgp's readers.
func (d *decoder) took(left []byte, err error) bool {
	if d.err != nil {
		return false
	}
	if err != nil {
		d.err, d.left = fmt.Errorf("%w: %w", ErrForm, err), nil
		return false
	}
	d.left = left
	return true
}

func (d *decoder) uint() uint64 {
	v, left, err := msgp.ReadUint64Bytes(d.left)
	if !d.took(left, err) {
		return 0
	}
	return v
}

func (d *decoder) uintUpTo(limit uint64) uint64 {
	v := d.uint()
	if v > limit {
		d.fail("a number out of bounds")
		return 0
	}
	return v
}

func (d *decoder) time() Millis { return Millis(d.uintUpTo(uint64(MaxMillis))) }

func (d *decoder) bool() bool {
	v, left, err := msgp.ReadBoolBytes(d.left)
	return d.took(left, err) && v
}

// bin reads a bin of at most limit bytes, which aliases what is read.
func (d *decoder) bin(limit int) []byte {
	v, left, err := msgp.ReadBytesZC(d.left)
	if !d.took(left, err) {
		return nil
	}
	if len(v) > limit {
		d.fail("too long")
		return nil
	}
	return v
}

// fixed reads a bin of exactly len(dst) bytes.
func (d *decoder) fixed(dst []byte) {
	v := d.bin(len(dst))
	if d.err == nil && len(v) != len(dst) {
		d.fail("too short")
	}
	copy(dst, v)
}

func (d *decoder) b16() (v [16]byte) { d.fixed(v[:]); return v }
func (d *decoder) b32() (v [32]byte) { d.fixed(v[:]); return v }

func (d *decoder) key() (k protocols.Key) {
	d.fixed(k[:])
	if d.err == nil && !k.Usable() {
		d.fail("an unusable key")
	}
	return k
}

// none passes a nil, if there is one.
func (d *decoder) none() bool {
	if d.err != nil || !msgp.IsNil(d.left) {
		return false
	}
	d.left = d.left[1:]
	return true
}

// optionalKey reads a key or nil, which becomes the zero key.
func (d *decoder) optionalKey() protocols.Key {
	if d.none() {
		return protocols.Key{}
	}
	return d.key()
}

// optionalBin reads a bin or nil. An empty bin is refused, as one that stands
// where nil is meant.
func (d *decoder) optionalBin(limit int) []byte {
	if d.none() {
		return nil
	}
	v := d.bin(limit)
	if d.err == nil && len(v) == 0 {
		d.fail("empty where nil is due")
	}
	return v
}

func (d *decoder) text(limit int) string {
	v, left, err := msgp.ReadStringZC(d.left)
	if !d.took(left, err) {
		return ""
	}
	if len(v) > limit || !utf8.Valid(v) {
		d.fail("not a text of its length")
		return ""
	}
	return string(v)
}

// size reads the header of an array of at most limit elements, each of which
// takes at least one byte that must be there.
func (d *decoder) size(limit int) int {
	n, left, err := msgp.ReadArrayHeaderBytes(d.left)
	if !d.took(left, err) {
		return 0
	}
	if int64(n) > int64(limit) || int64(n) > int64(len(left)) {
		d.fail("too many elements")
		return 0
	}
	return int(n)
}

// array reads the header of an array of exactly n elements.
func (d *decoder) array(n int) {
	if d.size(n) != n && d.err == nil {
		d.fail("too few elements")
	}
}

func (d *decoder) bins(count, limit int) [][]byte {
	n := d.size(count)
	if d.err != nil {
		return nil
	}
	list := make([][]byte, n)
	for i := range list {
		list[i] = d.bin(limit)
	}
	return list
}

func (d *decoder) keys(count int) []protocols.Key {
	n := d.size(count)
	if d.err != nil {
		return nil
	}
	list := make([]protocols.Key, n)
	for i := range list {
		list[i] = d.key()
	}
	return list
}

// end returns the first error, or one if anything is left.
func (d *decoder) end() error {
	if d.err == nil && len(d.left) > 0 {
		return fmt.Errorf("%w: %w", ErrForm, protocols.ErrTrailing)
	}
	return d.err
}

func appendOptionalKey(dst []byte, k protocols.Key) []byte {
	if k == (protocols.Key{}) {
		return msgp.AppendNil(dst)
	}
	return msgp.AppendBytes(dst, k[:])
}

func appendOptionalBin(dst, b []byte) []byte {
	if len(b) == 0 {
		return msgp.AppendNil(dst)
	}
	return msgp.AppendBytes(dst, b)
}

func appendBins(dst []byte, list [][]byte) []byte {
	size := msgp.ArrayHeaderSize
	for _, b := range list {
		size += msgp.BytesPrefixSize + len(b)
	}
	dst = msgp.AppendArrayHeader(slices.Grow(dst, size), uint32(len(list)))
	for _, b := range list {
		dst = msgp.AppendBytes(dst, b)
	}
	return dst
}

func appendKeys(dst []byte, list []protocols.Key) []byte {
	dst = msgp.AppendArrayHeader(dst, uint32(len(list)))
	for i := range list {
		dst = msgp.AppendBytes(dst, list[i][:])
	}
	return dst
}
