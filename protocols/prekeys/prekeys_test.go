package prekeys_test

import (
	"bytes"
	"crypto/sha256"
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
	"github.com/tom-protocol/tom/protocols/prekeys"
)

// noon of a day, on which all that follows happens.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func daysFrom(first uint32, n int) []prekeys.DayKey {
	keys := make([]prekeys.DayKey, n)
	for i := range keys {
		keys[i] = prekeys.DayKey{Day: first + uint32(i), Public: fixed.Array32(byte(i))}
	}
	return keys
}

func signed(keys []prekeys.DayKey) []byte { return prekeys.Sign(fixed.Recipient(), noon, keys) }

func parse(b []byte) (*prekeys.Record, error) { return prekeys.Parse(protocols.Main, b, noon) }

type goldenRecord struct {
	Network string      `json:"network"`
	Seed    golden.Hex  `json:"seed"`
	Suite   uint8       `json:"suite"`
	Node    golden.Hex  `json:"node"`
	Made    uint64      `json:"made"`
	Keys    []goldenKey `json:"keys"`
	Signing golden.Hex  `json:"signing_bytes"`
	Record  golden.Hex  `json:"record"`
}

type goldenKey struct {
	Day    uint32     `json:"day"`
	Public golden.Hex `json:"public"`
	ID     golden.Hex `json:"id"`
	Dies   uint64     `json:"private_half_dies"` // ms since the epoch
}

func TestGoldenRecords(t *testing.T) {
	t.Parallel()
	var made []goldenRecord
	for _, n := range []int{1, 8, 9} {
		keys, node := daysFrom(prekeys.DayOf(noon), n), fixed.Recipient().Public()
		g := goldenRecord{
			Network: string(protocols.Main), Seed: fixed.RecipientSeed,
			Suite: prekeys.Suite, Node: node[:], Made: uint64(noon.UnixMilli()), Record: signed(keys),
		}
		for _, k := range keys {
			id := prekeys.ID(k.Public)
			g.Keys = append(g.Keys, goldenKey{k.Day, k.Public[:], id[:], uint64(prekeys.DeathOf(k.Day).UnixMilli())})
		}
		body := g.Record[1 : len(g.Record)-66]
		g.Signing = protocols.Main.SigningBytes(nil, protocols.TagPrekeys, body)
		made = append(made, g)
	}
	for _, g := range golden.Check(t, "records.json", made) {
		r, err := parse(g.Record)
		if err != nil {
			t.Fatal(err)
		}
		if r.Suite != g.Suite || !bytes.Equal(r.Node[:], g.Node) || r.Made != g.Made || !bytes.Equal(r.Bytes(), g.Record) {
			t.Errorf("read %+v", r)
		}
		for i, k := range g.Keys {
			if r.Keys[i].Day != k.Day || !bytes.Equal(r.Keys[i].Public[:], k.Public) {
				t.Errorf("key %d is %+v", i, r.Keys[i])
			}
		}
	}
}

func TestAKeyDiesADayAndAHalfHourAfterItsDay(t *testing.T) {
	t.Parallel()
	today := prekeys.DayOf(noon)
	if got, want := prekeys.DeathOf(today), time.Date(2026, 11, 24, 0, 30, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("dies %v, want %v", got, want)
	}
	midnight := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	if prekeys.DayOf(midnight) != today || prekeys.DayOf(midnight.Add(-time.Millisecond)) != today-1 {
		t.Error("a day does not begin at midnight UTC")
	}
	if !prekeys.StartOf(today).Equal(midnight) {
		t.Error("a day starts elsewhere")
	}
}

func TestTheKeyOfTheDayIsChosen(t *testing.T) {
	t.Parallel()
	today := prekeys.DayOf(noon)
	start := prekeys.StartOf(today)
	const none = 99
	for name, c := range map[string]struct {
		first uint32
		n     int
		at    time.Time
		want  int // index of the key
	}{
		"at noon":                        {today, 8, noon, 0},
		"another day":                    {today, 8, noon.Add(72 * time.Hour), 3},
		"at the border, both there":      {today - 1, 3, start, 1},
		"a record that ended, 14:59 ago": {today - 2, 2, start.Add(15*time.Minute - 1), 1},
		"a record that ended, 15:00 ago": {today - 2, 2, start.Add(15 * time.Minute), none},
		"one that begins in 15:00":       {today, 2, start.Add(-15 * time.Minute), 0},
		"one that begins in 15:01":       {today, 2, start.Add(-15*time.Minute - time.Second), none},
		"long over":                      {today - 9, 3, noon, none},
	} {
		r, err := parse(signed(daysFrom(c.first, c.n)))
		if err != nil {
			t.Fatal(err)
		}
		to, ok := r.Choose(c.at)
		if ok != (c.want != none) {
			t.Errorf("%s: chosen %v", name, ok)
		}
		if ok && (to != envelope.Recipient{Node: r.Node, Prekey: prekeys.ID(r.Keys[c.want].Public), Public: r.Keys[c.want].Public}) {
			t.Errorf("%s: chosen %+v", name, to)
		}
	}
}

// Whatever is sealed to a chosen key can be opened for the whole lifetime, by
// clocks that differ by as much as is allowed.
func TestAChosenKeyOutlivesWhatIsSealedToIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := noon.Add(time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "at")))
		first := int(prekeys.DayOf(noon)) + rapid.IntRange(-3, 3).Draw(t, "first")
		r, err := parse(signed(daysFrom(uint32(first), 2)))
		if err != nil {
			t.Fatal(err)
		}
		to, ok := r.Choose(at)
		if !ok {
			return
		}
		i := slices.IndexFunc(r.Keys, func(k prekeys.DayKey) bool { return k.Public == to.Public })
		if end := at.Add(envelope.MaxLifetime + envelope.ClockSkew); prekeys.DeathOf(r.Keys[i].Day).Before(end) {
			t.Fatalf("sealed %v to the key of day %d", at, r.Keys[i].Day)
		}
	})
}

func TestTheNewerRecordCounts(t *testing.T) {
	t.Parallel()
	keys := daysFrom(prekeys.DayOf(noon), 1)
	record := func(s protocols.Signer, made time.Time) *prekeys.Record {
		r, err := parse(prekeys.Sign(s, made, keys))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	old, newer := record(fixed.Recipient(), noon.Add(-time.Hour)), record(fixed.Recipient(), noon)
	foreign := record(fixed.Other(), noon.Add(time.Minute))
	if !newer.Newer(old) || old.Newer(newer) || newer.Newer(newer) || !old.Newer(nil) || foreign.Newer(old) {
		t.Error("another order")
	}
}

// resigned replaces a field of a record and signs anew.
func resigned(t *testing.T, index int, element []byte) []byte {
	t.Helper()
	b := signed(daysFrom(prekeys.DayOf(noon), 2))
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
	protocols.SignStructure(fixed.Recipient(), protocols.TagPrekeys, out)
	return out
}

type goldenRefused struct {
	Name   string     `json:"name"`
	At     uint64     `json:"at"` // the reader's time, ms since the epoch
	Record golden.Hex `json:"record"`
}

// hostile are records refused at noon.
func hostile(t *testing.T) []goldenRefused {
	t.Helper()
	today := prekeys.DayOf(noon)
	good := signed(daysFrom(today, 2))
	small := protocols.Key{1}
	changed := bytes.Clone(good)
	changed[len(changed)-1] ^= 1
	at := uint64(noon.UnixMilli())
	return []goldenRefused{
		{"empty", at, nil},
		{"a byte behind the end", at, append(bytes.Clone(good), 0)},
		{"a sixth element", at, slices.Concat([]byte{0x96}, good[1:], []byte{0xc0})},
		{"in a longer header", at, slices.Concat([]byte{0xdc, 0, 5}, good[1:])},
		{"signature changed", at, changed},
		{"signed by another", at, slices.Concat(good[:len(good)-64], prekeys.Sign(fixed.Other(), noon, daysFrom(today, 2))[len(good)-64:])},
		{"for another network", at, prekeys.Sign(fixed.Signer("test", fixed.RecipientSeed), noon, daysFrom(today, 2))},
		{"suite 0", at, resigned(t, 0, []byte{0})},
		{"suite 2", at, resigned(t, 0, []byte{2})},
		{"node of small order", at, resigned(t, 1, msgp.AppendBytes(nil, small[:]))},
		{"made in the future", at, resigned(t, 2, msgp.AppendUint64(nil, uint64(noon.Add(envelope.ClockSkew+time.Millisecond).UnixMilli())))},
		{"made in a longer form", at, resigned(t, 2, []byte{0xcf, 0, 0, 0, 0, 0, 0, 0, 1})},
		{"no keys", at, signed(nil)},
		{"ten keys", at, signed(daysFrom(today-5, 10))},
		{"four billion keys", at, resigned(t, 3, []byte{0xdd, 0xff, 0xff, 0xff, 0xff})},
		{"a day twice", at, signed([]prekeys.DayKey{{Day: today}, {Day: today}})},
		{"days descending", at, signed([]prekeys.DayKey{{Day: today + 1}, {Day: today}})},
		{"a day too far ahead", at, signed(daysFrom(today+9, 2))},
		{"too long", at, append(bytes.Clone(good), make([]byte, prekeys.MaxSize)...)},
	}
}

func TestHostileRecordsAreRefused(t *testing.T) {
	t.Parallel()
	for _, h := range golden.Check(t, "refused.json", hostile(t)) {
		if r, err := parse(h.Record); !errors.Is(err, prekeys.ErrRecord) {
			t.Errorf("%s: %+v, %v", h.Name, r, err)
		}
	}
	good := signed(daysFrom(prekeys.DayOf(noon), 2))
	list := [][]byte{good}
	for _, h := range hostile(t) {
		list = append(list, h.Record)
	}
	list = append(list, good)
	for i, r := range prekeys.ParseAll(protocols.Main, list, noon) {
		if (r != nil) != (i == 0 || i == len(list)-1) || r != nil && !bytes.Equal(r.Bytes(), good) {
			t.Errorf("%d among others: %+v", i, r)
		}
	}
	for n := range good {
		if _, err := parse(good[:n]); err == nil {
			t.Errorf("%d of %d bytes parse", n, len(good))
		}
	}
}

func TestAnyChangedBitBreaksARecord(t *testing.T) {
	t.Parallel()
	good := signed(daysFrom(prekeys.DayOf(noon), 3))
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(good)
		bit := rapid.IntRange(0, len(b)*8-1).Draw(t, "bit")
		b[bit/8] ^= 1 << (bit % 8)
		if _, err := parse(b); err == nil {
			t.Fatalf("bit %d of byte %d may be changed", bit%8, bit/8)
		}
	})
}

func TestARecordDoesNotShareMemoryWithItsFrame(t *testing.T) {
	t.Parallel()
	b := signed(daysFrom(prekeys.DayOf(noon), 1))
	r, err := parse(b)
	if err != nil {
		t.Fatal(err)
	}
	want := sha256.Sum256(b)
	clear(b)
	if sha256.Sum256(r.Bytes()) != want {
		t.Error("the record changed with its frame")
	}
}

func TestTheLongestRecordIsNotTooLong(t *testing.T) {
	t.Parallel()
	late := time.UnixMilli(1 << 47)
	b := prekeys.Sign(fixed.Recipient(), late, daysFrom(prekeys.DayOf(late), prekeys.MaxKeys))
	if len(b) > prekeys.MaxSize {
		t.Errorf("%d bytes", len(b))
	}
	if _, err := prekeys.Parse(protocols.Main, b, late); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(signed(daysFrom(prekeys.DayOf(noon), 1)))
	f.Add(signed(daysFrom(prekeys.DayOf(noon), 9)))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parse(b)
		if err == nil && (r.Node != fixed.Recipient().Public() || !bytes.Equal(r.Bytes(), b)) {
			t.Fatalf("a forgery: %x", b)
		}
	})
}
