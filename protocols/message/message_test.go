package message_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/internal/golden"
	"github.com/tom-protocol/tom/protocols/message"
)

type goldenContent struct {
	Type     string     `json:"type"`
	Number   uint64     `json:"number"`
	Body     golden.Hex `json:"body"`
	Unpadded golden.Hex `json:"unpadded"`
	Padded   golden.Hex `json:"padded"`
}

func TestGoldenContents(t *testing.T) {
	t.Parallel()
	var made []goldenContent
	for _, c := range []message.Content{
		{Type: "", Number: 0, Body: []byte{}},
		{Type: "text/plain", Number: 7, Body: []byte("hello")},
		{Type: message.TypeReceipts, Number: 1 << 32, Body: fixed.Bytes(0, 200)},
		{Type: strings.Repeat("ü", 64), Number: 200, Body: fixed.Bytes(0, 300)},
	} {
		made = append(made, goldenContent{c.Type, c.Number, c.Body, c.AppendUnpadded(nil), c.Append(nil)})
	}
	for _, g := range golden.Check(t, "contents.json", made) {
		c, err := message.Parse(g.Padded)
		if err != nil || c.Type != g.Type || c.Number != g.Number || !bytes.Equal(c.Body, g.Body) {
			t.Errorf("%q: %+v, %v", g.Type, c, err)
		}
	}
}

type goldenLength struct {
	Length int `json:"length"`
	Padded int `json:"padded"`
}

func TestGoldenPadding(t *testing.T) {
	t.Parallel()
	made := []goldenLength{}
	for _, n := range []int{
		0, 1, 255, 256, 257, 272, 273, 288, 511, 512, 513, 544, 545, 1000, 1024, 1025, 4095, 4096, 4097, 10_000,
		65_535, 65_536, 65_537, 70_000, 131_072, 131_073, 200_000, 258_048,
	} {
		made = append(made, goldenLength{n, message.PaddedLen(n)})
	}
	for _, g := range golden.Check(t, "padding.json", made) {
		if got := message.PaddedLen(g.Length); got != g.Padded {
			t.Errorf("%d is padded to %d, want %d", g.Length, got, g.Padded)
		}
	}
}

func TestPaddingIsCheapAndStable(t *testing.T) {
	t.Parallel()
	last := 0
	for n := range 300_000 {
		p := message.PaddedLen(n)
		if p < n || p < last || message.PaddedLen(p) != p || (n > message.MinPadded && p > n+n/8) {
			t.Fatalf("%d is padded to %d", n, p)
		}
		last = p
	}
}

func TestWhatIsAppendedIsParsed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := message.Content{
			Type:   rapid.StringN(0, -1, message.MaxType).Draw(t, "type"),
			Number: rapid.Uint64().Draw(t, "number"),
			Body:   rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "body"),
		}
		padded := c.Append([]byte("before"))[6:]
		if len(padded) != message.PaddedLen(len(c.AppendUnpadded(nil))) {
			t.Fatalf("padded to %d", len(padded))
		}
		got, err := message.Parse(padded)
		if err != nil || got.Type != c.Type || got.Number != c.Number || !bytes.Equal(got.Body, c.Body) {
			t.Fatalf("%+v became %+v, %v", c, got, err)
		}
	})
}

func TestHostilePlaintextsAreRefused(t *testing.T) {
	t.Parallel()
	good := message.Content{Type: "text/plain", Number: 7, Body: []byte("hello")}.Append(nil)
	padded := func(b []byte) []byte { return slices.Concat(b, make([]byte, 256-len(b))) }
	for name, b := range map[string][]byte{
		"nothing":                 nil,
		"only zeros":              make([]byte, 256),
		"one byte of padding":     slices.Concat(good[:255], []byte{1}),
		"first of padding":        slices.Concat(good[:20], []byte{1}, good[21:]),
		"padded too short":        good[:255],
		"padded too long":         append(bytes.Clone(good), 0),
		"padded to the next":      slices.Concat(good, make([]byte, 16)),
		"not padded":              good[:20],
		"type too long":           padded(slices.Concat([]byte{0x93, 0xd9, 129}, bytes.Repeat([]byte{'x'}, 100))),
		"type of 129 bytes":       message.Content{Type: strings.Repeat("x", 129)}.Append(nil),
		"type not UTF-8":          message.Content{Type: "\xff"}.Append(nil),
		"type as bin":             padded([]byte{0x93, 0xc4, 0, 0, 0xc4, 0}),
		"type in a longer form":   padded([]byte{0x93, 0xd9, 1, 'x', 0, 0xc4, 0}),
		"number negative":         padded([]byte{0x93, 0xa0, 0xff, 0xc4, 0}),
		"number in a longer form": padded([]byte{0x93, 0xa0, 0xcc, 1, 0xc4, 0}),
		"body as text":            padded([]byte{0x93, 0xa0, 0, 0xa0}),
		"body in a longer form":   padded([]byte{0x93, 0xa0, 0, 0xc5, 0, 0}),
		"body too short":          padded([]byte{0x93, 0xa0, 0, 0xc5, 1, 0}),
		"body that claims 4GB":    padded([]byte{0x93, 0xa0, 0, 0xc6, 0xff, 0xff, 0xff, 0xff}),
		"two elements":            padded([]byte{0x92, 0xa0, 0}),
		"four elements":           padded([]byte{0x94, 0xa0, 0, 0xc4, 0, 0}),
		"a longer header":         padded([]byte{0xdc, 0, 3, 0xa0, 0, 0xc4, 0}),
	} {
		if c, err := message.Parse(b); !errors.Is(err, message.ErrContent) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

func TestTheLongestBodyCanBeSealed(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return fixed.Created }
	to, err := envelope.IdentityRecipient(fixed.Recipient().Public())
	if err != nil {
		t.Fatal(err)
	}
	s := envelope.NewSealer(fixed.Author().Public(), now)
	for _, typeLen := range []int{0, 10, message.MaxType} {
		c := message.Content{Type: strings.Repeat("x", typeLen), Number: 1<<64 - 1}
		c.Body = make([]byte, message.MaxBody(typeLen))
		if err := c.Fits(); err != nil {
			t.Error(err)
		}
		if _, err := s.Seal(to, envelope.ID{}, now(), time.Hour, c.Append(nil)); err != nil {
			t.Errorf("type of %d: %v", typeLen, err)
		}
		c.Body = make([]byte, message.MaxBody(typeLen)+20)
		if err := c.Fits(); !errors.Is(err, envelope.ErrTooLarge) {
			t.Errorf("20 bytes more fit: %v", err)
		}
		if _, err := s.Seal(to, envelope.ID{}, now(), time.Hour, c.Append(nil)); !errors.Is(err, envelope.ErrTooLarge) {
			t.Errorf("type of %d, 20 bytes more: %v", typeLen, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(message.Content{Type: "text/plain", Number: 7, Body: []byte("hello")}.Append(nil))
	f.Add(message.Content{Body: make([]byte, 300)}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := message.Parse(b)
		if err != nil {
			return
		}
		if again := c.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("%x has another plaintext too: %x", again, b)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	c, dst := message.Content{Type: "text/plain", Number: 7, Body: make([]byte, 200)}, make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		dst = c.Append(dst[:0])
	}
}

func BenchmarkParse(b *testing.B) {
	padded := message.Content{Type: "text/plain", Number: 7, Body: make([]byte, 200)}.Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := message.Parse(padded); err != nil {
			b.Fatal(err)
		}
	}
}
