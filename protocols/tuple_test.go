package protocols_test

import (
	"bytes"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// pair is a structure of two elements.
type pair struct{ a, b uint64 }

func (p *pair) UnmarshalMsg(b []byte) ([]byte, error) {
	size, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return nil, err
	}
	if size != 2 {
		return nil, msgp.ArrayError{Wanted: 2, Got: size}
	}
	if p.a, b, err = msgp.ReadUint64Bytes(b); err != nil {
		return nil, err
	}
	p.b, b, err = msgp.ReadUint64Bytes(b)
	return b, err
}

func TestExtraElementsAreIgnoredIfWellFormed(t *testing.T) {
	t.Parallel()
	nested := func(depth int) []byte { return append(bytes.Repeat([]byte{0x91}, depth), 0xc0) }
	for name, c := range map[string]struct {
		b  []byte
		ok bool
	}{
		"exact":               {[]byte{0x92, 1, 2}, true},
		"one more":            {[]byte{0x93, 1, 2, 3}, true},
		"in a longer header":  {[]byte{0xdc, 0, 3, 1, 2, 0xc3}, true},
		"nested":              {append([]byte{0x93, 1, 2}, nested(16)...), true},
		"nested too deeply":   {append([]byte{0x93, 1, 2}, nested(17)...), false},
		"a bomb":              {append([]byte{0x93, 1, 2}, nested(200_000)...), false},
		"a map":               {[]byte{0x93, 1, 2, 0x80}, false},
		"an extension":        {[]byte{0x93, 1, 2, 0xd4, 1, 1}, false},
		"a float":             {[]byte{0x93, 1, 2, 0xca, 0, 0, 0, 0}, false},
		"one too few":         {[]byte{0x91, 1}, false},
		"one missing":         {[]byte{0x93, 1, 2}, false},
		"bytes behind":        {[]byte{0x92, 1, 2, 3}, false},
		"four billion":        {[]byte{0xdd, 0xff, 0xff, 0xff, 0xff, 1, 2, 3}, false},
		"a bin that is short": {[]byte{0x93, 1, 2, 0xc4, 2, 0}, false},
		"no array":            {[]byte{1}, false},
		"nothing":             {nil, false},
	} {
		before := bytes.Clone(c.b)
		var p pair
		err := protocols.ReadTuple(c.b, 2, &p)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if c.ok && p != (pair{1, 2}) {
			t.Errorf("%s: read %v", name, p)
		}
		if !bytes.Equal(before, c.b) {
			t.Errorf("%s: the input was changed", name)
		}
	}
}

func TestFrameType(t *testing.T) {
	t.Parallel()
	if kind, err := protocols.FrameType([]byte{0x92, 7, 1}); kind != 7 || err != nil {
		t.Errorf("type %d, %v", kind, err)
	}
	for _, b := range [][]byte{nil, {0x90}, {0x91}, {0x91, 0xa1, 'x'}, {1}} {
		if _, err := protocols.FrameType(b); err == nil {
			t.Errorf("%x has a type", b)
		}
	}
}

func FuzzReadTuple(f *testing.F) {
	f.Add([]byte{0x93, 1, 2, 0x91, 0xc0})
	f.Add([]byte{0xdd, 0, 0, 0, 2, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		var p pair
		if protocols.ReadTuple(b, 2, &p) != nil {
			return
		}
		if left, err := msgp.Skip(b); err != nil || len(left) > 0 {
			t.Fatalf("%x was taken: %v, %d bytes left", b, err, len(left))
		}
	})
}

func TestStructuresTooShortForASignatureDoNotVerify(t *testing.T) {
	t.Parallel()
	for n := range 67 {
		if protocols.Main.VerifyStructure(protocols.Key{}, protocols.TagReceipt, make([]byte, n)) {
			t.Errorf("%d bytes verify", n)
		}
	}
}
