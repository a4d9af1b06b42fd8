package bare

import (
	"encoding/binary"
	"errors"
)

// pack appends MessagePack in its shortest form.
type pack []byte

func (p pack) array(n int) pack {
	if n < 16 {
		return append(p, 0x90|byte(n))
	}
	return append(p, 0xdc, byte(n>>8), byte(n))
}

func (p pack) uint(n uint64) pack {
	switch {
	case n < 1<<7:
		return append(p, byte(n))
	case n < 1<<8:
		return append(p, 0xcc, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(p, 0xcd), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(p, 0xce), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(p, 0xcf), n)
}

func (p pack) bin(b []byte) pack {
	switch n := len(b); {
	case n < 1<<8:
		p = append(p, 0xc4, byte(n))
	case n < 1<<16:
		p = append(p, 0xc5, byte(n>>8), byte(n))
	default:
		p = binary.BigEndian.AppendUint32(append(p, 0xc6), uint32(n))
	}
	return append(p, b...)
}

func (p pack) str(s string) pack {
	if len(s) < 32 {
		p = append(p, 0xa0|byte(len(s)))
	} else {
		p = append(p, 0xd9, byte(len(s)))
	}
	return append(p, s...)
}

func (p pack) nil() pack { return append(p, 0xc0) }

var errForm = errors.New("not the form expected")

// unpack reads MessagePack. After the first thing that is not as expected, all
// is zero and err says so.
type unpack struct {
	b   []byte
	err error
}

func (u *unpack) take(n uint64) []byte {
	if n > uint64(len(u.b)) {
		u.b, u.err = nil, errForm
		return nil
	}
	taken := u.b[:n]
	u.b = u.b[n:]
	return taken
}

// number reads a big-endian number of n bytes.
func (u *unpack) number(n uint64) (v uint64) {
	for _, c := range u.take(n) {
		v = v<<8 | uint64(c)
	}
	return v
}

// head reads the first byte, or c1, which nothing begins with.
func (u *unpack) head() byte {
	if b := u.take(1); len(b) == 1 {
		return b[0]
	}
	return 0xc1
}

// choose fails unless a form was found.
func (u *unpack) choose(found bool) {
	if !found {
		u.b, u.err = nil, errForm
	}
}

func (u *unpack) uint() uint64 {
	switch c := u.head(); {
	case c < 0x80:
		return uint64(c)
	case c >= 0xcc && c <= 0xcf:
		return u.number(1 << (c - 0xcc))
	}
	u.choose(false)
	return 0
}

func (u *unpack) bin() []byte {
	c := u.head()
	u.choose(c >= 0xc4 && c <= 0xc6)
	if u.err != nil {
		return nil
	}
	return u.take(u.number(1 << (c - 0xc4)))
}

func (u *unpack) exactly(n int) []byte {
	b := u.bin()
	u.choose(len(b) == n)
	return b
}

func (u *unpack) str() string {
	switch c := u.head(); {
	case c&0xe0 == 0xa0:
		return string(u.take(uint64(c & 0x1f)))
	case c == 0xd9:
		return string(u.take(u.number(1)))
	}
	u.choose(false)
	return ""
}

// array reads a header of at most 65535 elements.
func (u *unpack) array() int {
	switch c := u.head(); {
	case c&0xf0 == 0x90:
		return int(c & 0x0f)
	case c == 0xdc:
		return int(u.number(2))
	}
	u.choose(false)
	return 0
}

// atMost reads a header of at most n elements.
func (u *unpack) atMost(n int) int {
	got := u.array()
	u.choose(got <= n)
	if u.err != nil {
		return 0
	}
	return got
}

// optional reads bytes or nil.
func (u *unpack) optional() []byte {
	if len(u.b) > 0 && u.b[0] == 0xc0 {
		u.take(1)
		return nil
	}
	return u.bin()
}
