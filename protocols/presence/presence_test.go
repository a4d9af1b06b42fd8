package presence_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"
	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/internal/golden"
	"github.com/tom-protocol/tom/protocols/presence"
)

var (
	noon  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	made  = uint64(noon.UnixMilli())
	later = made + uint64((30 * time.Minute).Milliseconds())
)

func parse(b []byte) (*presence.Presence, error) { return presence.Parse(protocols.Main, b, noon) }

// relay is a presence with some of everything.
func relay() presence.Presence {
	return presence.Presence{
		Made: made, Until: later,
		Roles: []presence.Role{{Role: 1, Until: later}, {Role: 2, Until: later - 1000}},
		Addrs: [][]byte{fixed.Bytes(1, 11), fixed.Bytes(2, 50)}, Load: 77,
		Holders: []protocols.Key{fixed.Author().Public(), fixed.Other().Public()},
	}
}

func bare() presence.Presence { return presence.Presence{Made: made, Until: later} }

func full() presence.Presence {
	p := presence.Presence{Made: made, Until: made + uint64(presence.MaxLife.Milliseconds()), Load: 255}
	for i := range presence.MaxRoles {
		p.Roles = append(p.Roles, presence.Role{Role: uint8(248 + i), Until: p.Until})
	}
	for i := range presence.MaxAddrs {
		p.Addrs = append(p.Addrs, fixed.Bytes(byte(i), presence.MaxAddr))
	}
	for range presence.MaxHolders {
		p.Holders = append(p.Holders, fixed.Author().Public())
	}
	return p
}

func signed(p presence.Presence) []byte { return presence.Sign(fixed.Recipient(), p) }

type goldenPresence struct {
	Name     string       `json:"case"`
	Network  string       `json:"network"`
	Seed     golden.Hex   `json:"seed"`
	Node     golden.Hex   `json:"node"`
	Made     uint64       `json:"made"`
	Until    uint64       `json:"until"`
	Roles    [][2]uint64  `json:"roles"`
	Addrs    []golden.Hex `json:"addrs"`
	Load     uint8        `json:"load"`
	Holders  []golden.Hex `json:"holders"`
	Signing  golden.Hex   `json:"signing_bytes"`
	Presence golden.Hex   `json:"presence"`
}

func goldenOf(name string, p *presence.Presence) goldenPresence {
	b := p.Bytes()
	g := goldenPresence{
		Name: name, Network: string(protocols.Main), Seed: fixed.RecipientSeed, Node: p.Node[:],
		Made: p.Made, Until: p.Until, Roles: [][2]uint64{}, Addrs: []golden.Hex{}, Load: p.Load, Holders: []golden.Hex{},
		Signing:  protocols.Main.SigningBytes(nil, protocols.TagPresence, protocols.StructureBody(b)),
		Presence: b,
	}
	for _, r := range p.Roles {
		g.Roles = append(g.Roles, [2]uint64{uint64(r.Role), r.Until})
	}
	for _, a := range p.Addrs {
		g.Addrs = append(g.Addrs, a)
	}
	for _, k := range p.Holders {
		g.Holders = append(g.Holders, k[:])
	}
	return g
}

func TestGoldenPresences(t *testing.T) {
	t.Parallel()
	var all []goldenPresence
	for _, c := range []struct {
		name string
		p    presence.Presence
	}{{"a relay", relay()}, {"a revocation, with nothing in it", bare()}, {"as much as may be", full()}} {
		p, err := parse(signed(c.p))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		all = append(all, goldenOf(c.name, p))
	}
	for i, g := range golden.Check(t, "presences.json", all) {
		p, err := parse(g.Presence)
		if err != nil {
			t.Fatalf("%s: %v", g.Name, err)
		}
		if again := goldenOf(g.Name, p); !bytes.Equal(again.Presence, all[i].Presence) || !slices.Equal(again.Roles, g.Roles) || again.Load != g.Load {
			t.Errorf("%s: read %+v", g.Name, p)
		}
		for n := range g.Presence {
			if _, err := parse(g.Presence[:n]); err == nil {
				t.Errorf("%s: %d bytes of it parse", g.Name, n)
			}
		}
	}
}

func TestTheLongestPresenceIsNotTooLong(t *testing.T) {
	t.Parallel()
	late := time.UnixMilli(1 << 47)
	p := full()
	p.Made, p.Until = uint64(late.UnixMilli()), uint64(late.Add(time.Hour).UnixMilli())
	for i := range p.Roles {
		p.Roles[i].Until = p.Until
	}
	b := signed(p)
	if len(b) > presence.MaxSize {
		t.Errorf("%d bytes", len(b))
	}
	if _, err := presence.Parse(protocols.Main, b, late); err != nil {
		t.Error(err)
	}
}

type goldenRefused struct {
	Name     string     `json:"name"`
	At       uint64     `json:"at"` // the reader's time, ms since the epoch
	Presence golden.Hex `json:"presence"`
}

// with changes a presence and signs it.
func with(change func(*presence.Presence)) []byte {
	p := relay()
	change(&p)
	return signed(p)
}

// replaced replaces one element and signs anew.
func replaced(t *testing.T, index int, element []byte) []byte {
	t.Helper()
	n, rest, err := msgp.ReadArrayHeaderBytes(signed(relay()))
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
	protocols.SignStructure(fixed.Recipient(), protocols.TagPresence, out)
	return out
}

func hostile(t *testing.T) []goldenRefused {
	t.Helper()
	good := signed(relay())
	changed := bytes.Clone(good)
	changed[len(changed)-1] ^= 1
	skew := uint64(envelope.ClockSkew.Milliseconds())
	long := uint64(presence.MaxLife.Milliseconds())
	return []goldenRefused{
		{"empty", made, nil},
		{"a byte behind the end", made, append(bytes.Clone(good), 0)},
		{"a ninth element", made, slices.Concat([]byte{0x99}, good[1:], []byte{0xc0})},
		{"in a longer header", made, slices.Concat([]byte{0xdc, 0, 8}, good[1:])},
		{"signature changed", made, changed},
		{"signed by another", made, slices.Concat(good[:len(good)-64], presence.Sign(fixed.Other(), relay())[len(good)-64:])},
		{"for another network", made, presence.Sign(fixed.Signer("test", fixed.RecipientSeed), relay())},
		{"node of small order", made, replaced(t, 0, msgp.AppendBytes(nil, append([]byte{1}, make([]byte, 31)...)))},
		{"made in the future", made, with(func(p *presence.Presence) { p.Made, p.Until = made+skew+1, made+skew+1000 })},
		{"over", made, with(func(p *presence.Presence) { p.Made, p.Until = made-1000, made })},
		{"over before it was made", made, with(func(p *presence.Presence) { p.Until = made - 1 })},
		{"for more than a day", made, with(func(p *presence.Presence) { p.Until = made + long + 1 })},
		{"a role for more than a day", made, with(func(p *presence.Presence) { p.Roles[1].Until = made + long + 1 })},
		{"a role twice", made, with(func(p *presence.Presence) { p.Roles[1].Role = 1 })},
		{"nine roles", made, replaced(t, 3, slices.Concat([]byte{0x99}, slices.Repeat([]byte{0x92, 1, 1}, 9)))},
		{"17 addresses", made, replaced(t, 4, slices.Concat([]byte{0xdc, 0, 17}, slices.Repeat([]byte{0xc4, 1, 4}, 17)))},
		{"4 billion addresses", made, replaced(t, 4, []byte{0xdd, 0xff, 0xff, 0xff, 0xff})},
		{"an empty address", made, with(func(p *presence.Presence) { p.Addrs[0] = nil })},
		{"an address of 129 bytes", made, with(func(p *presence.Presence) { p.Addrs[0] = make([]byte, 129) })},
		{"load 256", made, replaced(t, 5, []byte{0xcd, 1, 0})},
		{"nine holders", made, with(func(p *presence.Presence) { p.Holders = slices.Repeat(p.Holders[:1], 9) })},
		{"a holder of small order", made, with(func(p *presence.Presence) { p.Holders[0] = protocols.Key{1} })},
		{"too long", made, append(bytes.Clone(good), make([]byte, presence.MaxSize)...)},
	}
}

func TestHostilePresencesAreRefused(t *testing.T) {
	t.Parallel()
	for _, h := range golden.Check(t, "refused.json", hostile(t)) {
		if p, err := parse(h.Presence); !errors.Is(err, presence.ErrPresence) {
			t.Errorf("%s: %+v, %v", h.Name, p, err)
		}
	}
}

func TestAnyChangedBitBreaksAPresence(t *testing.T) {
	t.Parallel()
	good := signed(relay())
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(good)
		bit := rapid.IntRange(0, len(b)*8-1).Draw(t, "bit")
		b[bit/8] ^= 1 << (bit % 8)
		if _, err := parse(b); err == nil {
			t.Fatalf("bit %d of byte %d may be changed", bit%8, bit/8)
		}
	})
}

func TestTheNewerPresenceCountsAndRolesEnd(t *testing.T) {
	t.Parallel()
	old, err := parse(signed(relay()))
	if err != nil {
		t.Fatal(err)
	}
	revoked := bare()
	revoked.Made++
	now, err := parse(signed(revoked))
	if err != nil {
		t.Fatal(err)
	}
	if !now.Newer(old) || old.Newer(now) || old.Newer(old) || !old.Newer(nil) {
		t.Error("another order")
	}
	if !old.Offers(1, noon) || old.Offers(3, noon) || now.Offers(1, noon) {
		t.Error("offers something else")
	}
	if old.Offers(1, old.End()) || old.Offers(2, old.End().Add(-time.Second)) {
		t.Error("offers a role beyond its end")
	}
}

func TestAPresenceDoesNotShareMemoryWithItsFrame(t *testing.T) {
	t.Parallel()
	b := signed(relay())
	p, err := parse(b)
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(b)
	clear(b)
	if !bytes.Equal(p.Bytes(), want) || !bytes.Equal(p.Addrs[0], relay().Addrs[0]) {
		t.Error("the presence changed with its frame")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(signed(relay()))
	f.Add(signed(bare()))
	f.Add(signed(full()))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parse(b)
		if err == nil && (p.Node != fixed.Recipient().Public() || !bytes.Equal(p.Bytes(), b)) {
			t.Fatalf("a forgery: %x", b)
		}
	})
}
