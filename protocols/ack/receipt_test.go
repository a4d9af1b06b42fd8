package ack_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/tinylib/msgp/msgp"
	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/internal/golden"
)

func entries(n int) []ack.Entry {
	es := make([]ack.Entry, n)
	for i := range es {
		es[i] = ack.Entry{ID: envelope.ID(fixed.Bytes(byte(i), 16)), Digest: [16]byte(fixed.Bytes(byte(0x80+i), 16))}
	}
	return es
}

func receipt(kind ack.Kind, n int) ack.Receipt {
	return ack.Receipt{
		Kind: kind, From: fixed.Recipient().Public(), To: fixed.Author().Public(),
		Time: uint64(fixed.Created.UnixMilli()), Entries: entries(n),
	}
}

func signed(kind ack.Kind, n int) []byte { return ack.Sign(fixed.Recipient(), receipt(kind, n)) }

func parse(b []byte) (*ack.Receipt, error) { return ack.Parse(protocols.Main, b) }

type goldenReceipt struct {
	Name    string        `json:"name"`
	Network string        `json:"network"`
	Seed    golden.Hex    `json:"seed"`
	Kind    ack.Kind      `json:"kind"`
	From    golden.Hex    `json:"from"`
	To      golden.Hex    `json:"to"`
	Time    uint64        `json:"time"`
	Entries []goldenEntry `json:"entries"`
	Signing golden.Hex    `json:"signing_bytes"`
	Receipt golden.Hex    `json:"receipt"`
}

type goldenEntry struct {
	ID     golden.Hex `json:"id"`
	Digest golden.Hex `json:"digest"`
}

func goldenOf(name string, kind ack.Kind, n int) goldenReceipt {
	r, b := receipt(kind, n), signed(kind, n)
	g := goldenReceipt{
		Name: name, Network: string(protocols.Main), Seed: fixed.RecipientSeed,
		Kind: kind, From: r.From[:], To: r.To[:], Time: r.Time, Receipt: b,
		Signing: protocols.Main.SigningBytes(nil, protocols.TagReceipt, b[1:len(b)-66]),
	}
	for _, e := range r.Entries {
		g.Entries = append(g.Entries, goldenEntry{e.ID[:], e.Digest[:]})
	}
	return g
}

func (g goldenReceipt) receipt() *ack.Receipt {
	r := &ack.Receipt{Kind: g.Kind, From: protocols.Key(g.From), To: protocols.Key(g.To), Time: g.Time}
	for _, e := range g.Entries {
		r.Entries = append(r.Entries, ack.Entry{ID: envelope.ID(e.ID), Digest: [16]byte(e.Digest)})
	}
	return r
}

func TestGoldenReceipts(t *testing.T) {
	t.Parallel()
	for _, g := range golden.Check(t, "receipts.json", []goldenReceipt{
		goldenOf("one delivered", ack.Delivered, 1),
		goldenOf("two read", ack.Read, 2),
		goldenOf("sixteen unopenable", ack.Unopenable, 16),
		goldenOf("sixty-four got", ack.Got, 64),
	}) {
		if r, err := parse(g.Receipt); err != nil || !reflect.DeepEqual(r, g.receipt()) {
			t.Errorf("%s: %+v, %v", g.Name, r, err)
		}
		if len(g.Receipt) > ack.MaxReceipt {
			t.Errorf("%s: %d bytes", g.Name, len(g.Receipt))
		}
	}
}

func TestTheSignerIsTheRecipient(t *testing.T) {
	t.Parallel()
	r := receipt(ack.Delivered, 1)
	r.From = fixed.Other().Public()
	got, err := parse(ack.Sign(fixed.Recipient(), r))
	if err != nil || got.From != fixed.Recipient().Public() || !got.At().Equal(fixed.Created) {
		t.Errorf("%+v, %v", got, err)
	}
}

// resigned replaces a field of a receipt; its signer signs anew.
func resigned(t *testing.T, index int, element []byte) []byte {
	t.Helper()
	b := signed(ack.Delivered, 2)
	n, rest, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	out := msgp.AppendArrayHeader(nil, n)
	for i := range int(n) {
		left, err := msgp.Skip(rest)
		if err != nil {
			t.Fatal(err)
		}
		if i == index {
			out = append(out, element...)
		} else {
			out = append(out, rest[:len(rest)-len(left)]...)
		}
		rest = left
	}
	protocols.SignStructure(fixed.Recipient(), protocols.TagReceipt, out)
	return out
}

type goldenRefused struct {
	Name    string     `json:"name"`
	Receipt golden.Hex `json:"receipt"`
}

func hostile(t *testing.T) []goldenRefused {
	t.Helper()
	good, foreign := signed(ack.Delivered, 2), ack.Sign(fixed.Other(), receipt(ack.Delivered, 2))
	other, small := fixed.Other().Public(), protocols.Key{1}
	changed := func(at int) []byte {
		b := bytes.Clone(good)
		b[at] ^= 1
		return b
	}
	return []goldenRefused{
		{"empty", nil},
		{"a byte behind the end", append(bytes.Clone(good), 0)},
		{"a seventh element", slices.Concat([]byte{0x97}, good[1:], []byte{0xc0})},
		{"in a longer header", slices.Concat([]byte{0xdc, 0, 6}, good[1:])},
		{"signature changed", changed(len(good) - 1)},
		{"an id changed", changed(len(good) - 66 - 25)},
		{"a digest changed", changed(len(good) - 66 - 5)},
		{"another's signature", slices.Concat(good[:len(good)-64], foreign[len(foreign)-64:])},
		{"another's name", slices.Concat(good[:4], other[:], good[36:])},
		{"for another network", ack.Sign(fixed.Signer("test", fixed.RecipientSeed), receipt(ack.Delivered, 2))},
		{"signed as prekeys", wrongTag()},
		{"kind 0", resigned(t, 0, []byte{0})},
		{"kind 5", resigned(t, 0, []byte{5})},
		{"from of small order", resigned(t, 1, msgp.AppendBytes(nil, small[:]))},
		{"to of small order", resigned(t, 2, msgp.AppendBytes(nil, small[:]))},
		{"a time beyond 2^48", resigned(t, 3, msgp.AppendUint64(nil, 1<<48))},
		{"a time in a longer form", resigned(t, 3, []byte{0xcf, 0, 0, 0, 0, 0, 0, 0, 1})},
		{"no entries", signed(ack.Delivered, 0)},
		{"65 entries", signed(ack.Delivered, 65)},
		{"four billion entries", resigned(t, 4, []byte{0xdd, 0xff, 0xff, 0xff, 0xff})},
		{"an entry of three", resigned(t, 4, slices.Concat([]byte{0x91, 0x93, 0xc4, 16}, make([]byte, 16), []byte{0xc4, 16}, make([]byte, 16), []byte{0xc0}))},
		{"signature of 63 bytes", slices.Concat(good[:len(good)-65], []byte{63}, good[len(good)-63:])},
		{"too long", append(bytes.Clone(good), make([]byte, ack.MaxReceipt)...)},
	}
}

func wrongTag() []byte {
	b := signed(ack.Delivered, 2)
	protocols.SignStructure(fixed.Recipient(), protocols.TagPrekeys, b)
	return b
}

func TestHostileReceiptsAreRefused(t *testing.T) {
	t.Parallel()
	for _, h := range golden.Check(t, "refused.json", hostile(t)) {
		if r, err := parse(h.Receipt); !errors.Is(err, ack.ErrReceipt) {
			t.Errorf("%s: %+v, %v", h.Name, r, err)
		}
	}
	good := signed(ack.Delivered, 2)
	for n := range good {
		if _, err := parse(good[:n]); err == nil {
			t.Errorf("%d of %d bytes parse", n, len(good))
		}
	}
}

func TestAnyChangedBitBreaksAReceipt(t *testing.T) {
	t.Parallel()
	good := signed(ack.Read, 3)
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(good)
		bit := rapid.IntRange(0, len(b)*8-1).Draw(t, "bit")
		b[bit/8] ^= 1 << (bit % 8)
		if _, err := parse(b); err == nil {
			t.Fatalf("bit %d of byte %d may be changed", bit%8, bit/8)
		}
	})
}

func TestKindsHaveNames(t *testing.T) {
	t.Parallel()
	for kind, want := range map[ack.Kind]string{ack.Delivered: "delivered", ack.Got: "got", 0: "unknown", 5: "unknown"} {
		if got := kind.String(); got != want {
			t.Errorf("%d is %q", kind, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(signed(ack.Delivered, 1))
	f.Add(signed(ack.Read, 20))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parse(b)
		if err == nil && r.From != fixed.Recipient().Public() {
			t.Fatalf("a forgery: %x", b)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	s, r := fixed.Recipient(), receipt(ack.Delivered, 64)
	b.ReportAllocs()
	for b.Loop() {
		ack.Sign(s, r)
	}
}

func BenchmarkParse(b *testing.B) {
	r := signed(ack.Delivered, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parse(r); err != nil {
			b.Fatal(err)
		}
	}
}
