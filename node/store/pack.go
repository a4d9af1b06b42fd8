package store

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/node/store/kv"
)

// Rows are packed by hand: fixed-size fields as they are, integers as
// uvarints, times as uvarint milliseconds since the epoch (0 for none), byte
// strings after their uvarint length. What a later version adds goes to the
// end of a row, where a reader that does not know it does not look.

func appendTime(b []byte, t time.Time) []byte {
	return binary.AppendUvarint(b, millis(t))
}

func appendBytes(b, s []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func millis(t time.Time) uint64 {
	if ms := t.UnixMilli(); ms > 0 {
		return uint64(ms)
	}
	return 0
}

// unpacker reads a row. The first error stays, and everything after it reads
// as zero.
type unpacker struct {
	b   []byte
	err error
}

func (u *unpacker) fail() {
	if u.err == nil {
		u.err = fmt.Errorf("%w: a row is cut short", kv.ErrCorrupt)
	}
	u.b = nil
}

func (u *unpacker) uint() uint64 {
	v, n := binary.Uvarint(u.b)
	if n <= 0 {
		u.fail()
		return 0
	}
	u.b = u.b[n:]
	return v
}

func (u *unpacker) byte() byte {
	if len(u.b) == 0 {
		u.fail()
		return 0
	}
	c := u.b[0]
	u.b = u.b[1:]
	return c
}

func (u *unpacker) time() time.Time {
	ms := u.uint()
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms))
}

// fixed fills dst.
func (u *unpacker) fixed(dst []byte) {
	if len(u.b) < len(dst) {
		u.fail()
		return
	}
	copy(dst, u.b)
	u.b = u.b[len(dst):]
}

// bytes returns a byte string that aliases the row; nil if it is empty.
func (u *unpacker) bytes() []byte {
	n := u.uint()
	if n > uint64(len(u.b)) {
		u.fail()
		return nil
	}
	s := u.b[:n:n]
	u.b = u.b[n:]
	if n == 0 {
		return nil
	}
	return s
}

func (u *unpacker) text() string { return string(u.bytes()) }
