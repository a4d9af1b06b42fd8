package heartbeat_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/heartbeat"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/internal/golden"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

func full() heartbeat.Hello {
	return heartbeat.Hello{
		Version: heartbeat.Version, Agent: "tomd/0.1.0", Name: "bob's laptop",
		Roles: []uint8{heartbeat.RoleRelay, heartbeat.RoleBackup}, Capabilities: []string{"a", "b"},
		Prekeys: fixed.Bytes(1, 100), Admission: fixed.Bytes(2, 50), Time: uint64(fixed.Created.UnixMilli()),
	}
}

type goldenHello struct {
	Name         string     `json:"case"`
	Version      uint8      `json:"version"`
	Agent        string     `json:"agent"`
	Called       string     `json:"name"`
	Roles        []uint     `json:"roles"`
	Capabilities []string   `json:"capabilities"`
	Prekeys      golden.Hex `json:"prekeys"`
	Admission    golden.Hex `json:"admission"` // empty: nil
	Time         uint64     `json:"time"`
	Hello        golden.Hex `json:"hello"`
}

func goldenOf(name string, h heartbeat.Hello) goldenHello {
	g := goldenHello{
		Name: name, Version: h.Version, Agent: h.Agent, Called: h.Name, Roles: []uint{}, Capabilities: []string{},
		Prekeys: h.Prekeys, Admission: h.Admission, Time: h.Time, Hello: h.Append(nil),
	}
	for _, r := range h.Roles {
		g.Roles = append(g.Roles, uint(r))
	}
	g.Capabilities = append(g.Capabilities, h.Capabilities...)
	return g
}

func TestGoldenHellos(t *testing.T) {
	t.Parallel()
	for _, g := range golden.Check(t, "hellos.json", []goldenHello{
		goldenOf("everything", full()),
		goldenOf("next to nothing", heartbeat.Hello{Version: 1, Prekeys: []byte{}}),
		goldenOf("no admission", heartbeat.Hello{Version: 2, Agent: "other", Name: "ünï", Prekeys: fixed.Bytes(0, 300), Time: 1}),
	}) {
		if len(g.Admission) == 0 {
			g.Admission = nil // which JSON does not tell from empty
		}
		h, err := heartbeat.ParseHello(g.Hello)
		if err != nil || !reflect.DeepEqual(goldenOf(g.Name, h), g) {
			t.Errorf("%s: %+v, %v", g.Name, h, err)
		}
		for n := range g.Hello {
			if _, err := heartbeat.ParseHello(g.Hello[:n]); err == nil {
				t.Errorf("%s: %d bytes of it parse", g.Name, n)
			}
		}
	}
}

func TestExtraElementsOfAHelloAreIgnored(t *testing.T) {
	t.Parallel()
	b := full().Append(nil)
	h, err := heartbeat.ParseHello(slices.Concat([]byte{0x9a}, b[1:], []byte{0x91, 7}))
	if err != nil || !reflect.DeepEqual(h, full()) {
		t.Errorf("%+v, %v", h, err)
	}
}

// with replaces one element of a hello.
func with(t *testing.T, index int, element []byte) []byte {
	t.Helper()
	n, rest, err := msgp.ReadArrayHeaderBytes(full().Append(nil))
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
	return out
}

func text(s string) []byte { return msgp.AppendString(nil, s) }

func TestHostileHellosAreRefused(t *testing.T) {
	t.Parallel()
	many := func(n int, element []byte) []byte {
		return slices.Concat(msgp.AppendArrayHeader(nil, uint32(n)), slices.Repeat(element, n))
	}
	for name, b := range map[string][]byte{
		"empty":                  nil,
		"a byte behind the end":  append(full().Append(nil), 0),
		"version as text":        with(t, 1, text("1")),
		"agent too long":         with(t, 2, text(strings.Repeat("x", 65))),
		"agent as bin":           with(t, 2, []byte{0xc4, 0}),
		"name too long":          with(t, 3, text(strings.Repeat("ü", 33))),
		"name not UTF-8":         with(t, 3, text("\xff")),
		"nine roles":             with(t, 4, many(9, []byte{1})),
		"33 capabilities":        with(t, 5, many(33, text("x"))),
		"capability too long":    with(t, 5, many(1, text(strings.Repeat("x", 65)))),
		"4 billion capabilities": with(t, 5, []byte{0xdd, 0xff, 0xff, 0xff, 0xff}),
		"prekeys nil":            with(t, 6, []byte{0xc0}),
		"prekeys too long":       with(t, 6, msgp.AppendBytes(nil, make([]byte, prekeys.MaxSize+1))),
		"admission too long":     with(t, 7, msgp.AppendBytes(nil, make([]byte, heartbeat.MaxAdmission+1))),
		"time negative":          with(t, 8, []byte{0xff}),
		"too long":               append(full().Append(nil), make([]byte, heartbeat.MaxSize)...),
	} {
		if h, err := heartbeat.ParseHello(b); !errors.Is(err, heartbeat.ErrHello) {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
	if _, err := heartbeat.ParseHello(with(t, 0, []byte{2})); !errors.Is(err, protocols.ErrFrameType) {
		t.Errorf("a beat: %v", err)
	}
}

func TestUnknownRolesAndVersionsAreNoError(t *testing.T) {
	t.Parallel()
	h, err := heartbeat.ParseHello(with(t, 4, []byte{0x93, 1, 0xcd, 1, 0, 0xcc, 200}))
	if err != nil || !slices.Equal(h.Roles, []uint8{1, 200}) {
		t.Errorf("roles %v, %v", h.Roles, err)
	}
	h, err = heartbeat.ParseHello(with(t, 1, []byte{0xcd, 1, 0}))
	if err != nil || h.Version != 255 {
		t.Errorf("version %d, %v", h.Version, err)
	}
}

func TestNothingInATextControlsATerminal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"bob":                         "bob",
		"a\x1b[31mb\n\x00c\x7f\u0085": "a[31mbc",
		"\u202ebob\u2066":             "bob",
		"a\u200bb\ufeff":              "ab",
		"a\xffb":                      "ab",
		strings.Repeat("ü", 40):       strings.Repeat("ü", 32),
		"x" + strings.Repeat("ü", 40): "x" + strings.Repeat("ü", 31),
	} {
		if got := heartbeat.Clean(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	h, err := heartbeat.ParseHello(with(t, 3, text("bob\x1b[2J")))
	if err != nil || h.Name != "bob[2J" {
		t.Errorf("name %q, %v", h.Name, err)
	}
}

func TestWhatIsAppendedIsParsed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := heartbeat.Hello{
			Version: rapid.Uint8().Draw(t, "version"), Agent: rapid.String().Draw(t, "agent"), Name: rapid.String().Draw(t, "name"),
			Roles:        rapid.SliceOf(rapid.Uint8()).Draw(t, "roles"),
			Capabilities: rapid.SliceOf(rapid.String()).Draw(t, "capabilities"),
			Prekeys:      rapid.SliceOfN(rapid.Byte(), 0, prekeys.MaxSize).Draw(t, "prekeys"),
			Time:         rapid.Uint64().Draw(t, "time"),
		}
		got, err := heartbeat.ParseHello(h.Append(nil))
		if err != nil || got.Time != h.Time || got.Version != h.Version || got.Name != heartbeat.Clean(h.Name) {
			t.Fatalf("%+v became %+v, %v", h, got, err)
		}
		if len(got.Name) > heartbeat.MaxName || !utf8.ValidString(got.Name) {
			t.Fatalf("a name %q", got.Name)
		}
	})
}

func TestTheLargestHelloIsNotTooLarge(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", heartbeat.MaxName)
	h := heartbeat.Hello{
		Version: 255, Agent: long, Name: long, Roles: slices.Repeat([]uint8{255}, heartbeat.MaxRoles),
		Capabilities: slices.Repeat([]string{long}, heartbeat.MaxCapabilities),
		Prekeys:      make([]byte, prekeys.MaxSize), Admission: make([]byte, heartbeat.MaxAdmission), Time: 1<<64 - 1,
	}
	if got, err := heartbeat.ParseHello(h.Append(nil)); err != nil || !reflect.DeepEqual(got, h) {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzParseHello(f *testing.F) {
	f.Add(full().Append(nil))
	f.Add(heartbeat.Hello{}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := heartbeat.ParseHello(b)
		if err != nil {
			return
		}
		again, err := heartbeat.ParseHello(h.Append(nil))
		if err != nil || !reflect.DeepEqual(h, again) {
			t.Fatalf("%+v became %+v, %v", h, again, err)
		}
	})
}
