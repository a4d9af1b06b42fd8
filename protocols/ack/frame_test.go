package ack_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/internal/golden"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

type goldenFrame struct {
	Name     string       `json:"name"`
	Receipts []golden.Hex `json:"receipts"`
	Prekeys  golden.Hex   `json:"prekeys"` // empty: nil
	Frame    golden.Hex   `json:"frame"`
}

func (g goldenFrame) frame() ack.Frame {
	f := ack.Frame{Receipts: make([][]byte, len(g.Receipts))}
	for i, r := range g.Receipts {
		f.Receipts[i] = r
	}
	if len(g.Prekeys) > 0 {
		f.Prekeys = g.Prekeys
	}
	return f
}

func TestGoldenFrames(t *testing.T) {
	t.Parallel()
	one := golden.Hex(signed(ack.Delivered, 1))
	made := []goldenFrame{
		{Name: "one receipt", Receipts: []golden.Hex{one}},
		{Name: "two, and prekeys", Receipts: []golden.Hex{one, signed(ack.Unopenable, 2)}, Prekeys: bytes.Repeat([]byte{7}, 300)},
		{Name: "prekeys only", Receipts: []golden.Hex{}, Prekeys: []byte{7}},
	}
	for i := range made {
		made[i].Frame = made[i].frame().Append(nil)
	}
	for _, g := range golden.Check(t, "frames.json", made) {
		if f, err := ack.ParseFrame(g.Frame); err != nil || !reflect.DeepEqual(f, g.frame()) {
			t.Errorf("%s: %+v, %v", g.Name, f, err)
		}
		for n := range g.Frame {
			if _, err := ack.ParseFrame(g.Frame[:n]); err == nil {
				t.Errorf("%s: %d bytes of it parse", g.Name, n)
			}
		}
	}
}

func TestHostileFramesAreRefused(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"two elements":          {0x92, 1, 0x90},
		"receipts as bin":       {0x93, 1, 0xc4, 0, 0xc0},
		"receipt as text":       {0x93, 1, 0x91, 0xa0, 0xc0},
		"prekeys as text":       {0x93, 1, 0x90, 0xa0},
		"65 receipts":           ack.Frame{Receipts: make([][]byte, 65)}.Append(nil),
		"four billion receipts": {0x93, 1, 0xdd, 0xff, 0xff, 0xff, 0xff},
		"a receipt of 4 GiB":    {0x93, 1, 0x91, 0xc6, 0xff, 0xff, 0xff, 0xff},
		"a receipt too long":    ack.Frame{Receipts: [][]byte{make([]byte, ack.MaxReceipt+1)}}.Append(nil),
		"prekeys too long":      ack.Frame{Prekeys: make([]byte, prekeys.MaxSize+1)}.Append(nil),
		"a byte behind the end": append(ack.Frame{}.Append(nil), 0),
	} {
		if f, err := ack.ParseFrame(b); !errors.Is(err, ack.ErrFrame) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
	if _, err := ack.ParseFrame([]byte{0x91, 2}); !errors.Is(err, protocols.ErrFrameType) {
		t.Errorf("another type: %v", err)
	}
	more := slices.Concat([]byte{0x94}, ack.Frame{}.Append(nil)[1:], []byte{0xc3})
	if _, err := ack.ParseFrame(more); err != nil {
		t.Errorf("an extra element: %v", err)
	}
}

// A whole frame fits where it travels: in a stream's frame and in an envelope.
func TestTheLargestFrame(t *testing.T) {
	t.Parallel()
	f := ack.Frame{Prekeys: make([]byte, prekeys.MaxSize)}
	for range ack.MaxReceipts {
		f.Receipts = append(f.Receipts, signed(ack.Delivered, ack.MaxEntries))
	}
	b := f.Append(nil)
	if len(b) > 250_000 {
		t.Errorf("%d bytes", len(b))
	}
	if _, err := ack.ParseFrame(b); err != nil {
		t.Error(err)
	}
}

func FuzzParseFrame(f *testing.F) {
	f.Add(ack.Frame{Receipts: [][]byte{{1, 2}, {}}, Prekeys: []byte{3}}.Append(nil))
	f.Add(ack.Frame{}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := ack.ParseFrame(b)
		if err != nil {
			return
		}
		again, err := ack.ParseFrame(frame.Append(nil))
		if err != nil || !reflect.DeepEqual(frame, again) {
			t.Fatalf("%+v became %+v, %v", frame, again, err)
		}
	})
}
