package heartbeat_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/heartbeat"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/internal/golden"
	"github.com/tom-protocol/tom/protocols/prekeys"
	"github.com/tom-protocol/tom/protocols/presence"
)

type goldenPresence struct {
	Name     string     `json:"case"`
	Presence golden.Hex `json:"presence"`
	Prekeys  golden.Hex `json:"prekeys"` // empty: nil
	Frame    golden.Hex `json:"frame"`
}

func TestGoldenPresenceFrames(t *testing.T) {
	t.Parallel()
	var made []goldenPresence
	for name, p := range map[string]heartbeat.Presence{
		"with prekeys":    {Presence: fixed.Bytes(1, 200), Prekeys: fixed.Bytes(2, 100)},
		"without prekeys": {Presence: fixed.Bytes(1, 300)},
	} {
		made = append(made, goldenPresence{name, p.Presence, p.Prekeys, p.Append(nil)})
	}
	slices.SortFunc(made, func(a, b goldenPresence) int { return bytes.Compare(a.Frame, b.Frame) })
	for _, g := range golden.Check(t, "presence.json", made) {
		p, err := heartbeat.ParsePresence(g.Frame)
		if err != nil || !bytes.Equal(p.Presence, g.Presence) || !bytes.Equal(p.Prekeys, g.Prekeys) {
			t.Errorf("%s: %+v, %v", g.Name, p, err)
		}
		if (p.Prekeys == nil) != (len(g.Prekeys) == 0) {
			t.Errorf("%s: prekeys %v", g.Name, p.Prekeys)
		}
		longer := slices.Concat([]byte{0x94}, g.Frame[1:], []byte{0x91, 7})
		if again, err := heartbeat.ParsePresence(longer); err != nil || !bytes.Equal(again.Presence, g.Presence) {
			t.Errorf("%s: with an extra element: %v", g.Name, err)
		}
		for n := range g.Frame {
			if _, err := heartbeat.ParsePresence(g.Frame[:n]); err == nil {
				t.Errorf("%s: %d bytes of it parse", g.Name, n)
			}
		}
	}
}

func TestHostilePresenceFramesAreRefused(t *testing.T) {
	t.Parallel()
	good := heartbeat.Presence{Presence: fixed.Bytes(1, 200)}.Append(nil)
	for name, b := range map[string][]byte{
		"empty":                 nil,
		"a byte behind the end": append(bytes.Clone(good), 0),
		"presence nil":          {0x93, 3, 0xc0, 0xc0},
		"presence as text":      {0x93, 3, 0xa1, 'x', 0xc0},
		"presence too long":     heartbeat.Presence{Presence: make([]byte, presence.MaxSize+1)}.Append(nil),
		"prekeys too long":      heartbeat.Presence{Prekeys: make([]byte, prekeys.MaxSize+1)}.Append(nil),
		"4 GB of presence":      {0x93, 3, 0xc6, 0xff, 0xff, 0xff, 0xff},
		"too long":              append(bytes.Clone(good), make([]byte, heartbeat.MaxSize)...),
	} {
		if p, err := heartbeat.ParsePresence(b); !errors.Is(err, heartbeat.ErrPresence) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if _, err := heartbeat.ParsePresence(full().Append(nil)); !errors.Is(err, protocols.ErrFrameType) {
		t.Errorf("a hello: %v", err)
	}
	longest := heartbeat.Presence{Presence: make([]byte, presence.MaxSize), Prekeys: make([]byte, prekeys.MaxSize)}
	if _, err := heartbeat.ParsePresence(longest.Append(nil)); err != nil {
		t.Errorf("the longest frame: %v", err)
	}
}

func FuzzParsePresence(f *testing.F) {
	f.Add(heartbeat.Presence{Presence: fixed.Bytes(1, 200), Prekeys: fixed.Bytes(2, 100)}.Append(nil))
	f.Add(heartbeat.Presence{}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := heartbeat.ParsePresence(b)
		if err != nil {
			return
		}
		again, err := heartbeat.ParsePresence(p.Append(nil))
		if err != nil || !bytes.Equal(again.Presence, p.Presence) || !bytes.Equal(again.Prekeys, p.Prekeys) {
			t.Fatalf("%+v became %+v, %v", p, again, err)
		}
	})
}
