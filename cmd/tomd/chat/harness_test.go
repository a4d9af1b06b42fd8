package chat

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/tom-protocol/tom/node/localapi"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// noon is when the tests begin.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

const (
	me      = "12D3KooWAliceAliceAliceAliceAliceAliceAliceAliceAlice"
	bob     = "12D3KooWBobBobBobBobBobBobBobBobBobBobBobBobBobBobBo"
	carol   = "12D3KooWCarolCarolCarolCarolCarolCarolCarolCarolCaro"
	eve     = "12D3KooWEveEveEveEveEveEveEveEveEveEveEveEveEveEveEv"
	friends = "00112233445566778899aabbccddeeff"
)

// scene is a state with what was wanted done and is not answered yet.
type scene struct {
	*state
	t      *testing.T
	todo   []any
	cursor localapi.Cursor
}

// newScene is alice's chat with two contacts, a stranger and a group.
func newScene(t *testing.T) *scene {
	s := &scene{state: newState("", time.UTC, ""), t: t, cursor: 10}
	s.step(tea.WindowSizeMsg{Width: 80, Height: 24})
	s.step(tick{noon})
	s.in(s.everything())
	return s
}

func (s *scene) everything() loaded {
	at := localapi.At(noon)
	return loaded{
		me: localapi.Identity{ID: me, Link: "tom:peer/" + me + "?a=/ip4/192.0.2.7/udp/4001/quic-v1&a=/ip4/192.0.2.7/tcp/4001&n=alice"},
		contacts: []localapi.Contact{
			{ID: bob, Name: "bob", Added: at, State: "online", Seen: at},
			{ID: carol, Name: "carol", Added: at, State: "offline"},
		},
		talks: localapi.TalkList{Cursor: s.cursor, Talks: []localapi.Talk{
			{ID: carol, Name: "carol", Unread: 2}, {ID: eve, Name: "eve?", Unread: 1, Stranger: true},
		}},
		groups: []localapi.GroupLine{{Group: friends, Name: "friends", Members: 3, Hub: carol, Unread: 1, Read: 4}},
	}
}

// in gives an input to the state.
func (s *scene) in(inputs ...any) {
	for _, in := range inputs {
		s.todo = append(s.todo, s.step(in)...)
	}
}

// take removes what was wanted done of one kind, and returns it.
func take[T any](s *scene) (out []T) {
	s.todo = slices.DeleteFunc(s.todo, func(x any) bool {
		v, ok := x.(T)
		if ok {
			out = append(out, v)
		}
		return ok
	})
	return out
}

// one is the one thing of a kind that was wanted done.
func one[T any](s *scene) (v T) {
	s.t.Helper()
	all := take[T](s)
	if len(all) != 1 {
		s.t.Fatalf("%d of %T wanted: %+v", len(all), v, all)
	}
	return all[0]
}

func none[T any](s *scene) {
	s.t.Helper()
	if all := take[T](s); len(all) > 0 {
		s.t.Fatalf("wanted: %+v", all)
	}
}

// press gives keys as bubbletea names them.
func (s *scene) press(names ...string) {
	for _, name := range names {
		s.in(keyPress(name))
	}
}

var codes = map[string]rune{
	"enter": tea.KeyEnter, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
	"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome, "end": tea.KeyEnd, "esc": tea.KeyEscape,
	"backspace": tea.KeyBackspace, "delete": tea.KeyDelete, "f1": tea.KeyF1, "f2": tea.KeyF2, "f3": tea.KeyF3, "f4": tea.KeyF4,
}

func keyPress(name string) tea.KeyPressMsg {
	k := tea.KeyPressMsg{}
	parts := strings.Split(name, "+")
	for _, mod := range parts[:len(parts)-1] {
		k.Mod |= map[string]tea.KeyMod{"ctrl": tea.ModCtrl, "alt": tea.ModAlt, "shift": tea.ModShift}[mod]
	}
	last := parts[len(parts)-1]
	if code, ok := codes[last]; ok {
		k.Code = code
		return k
	}
	k.Code = []rune(last)[0]
	if k.Mod == 0 {
		k.Text = last
	}
	return k
}

// write types a text.
func (s *scene) write(text string) {
	for _, r := range text {
		s.in(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

// event gives an event with the next number.
func (s *scene) event(e localapi.Event) {
	s.cursor++
	e.Cursor, e.At = s.cursor, localapi.At(s.now)
	if e.Message != nil {
		e.Message.Cursor = s.cursor
	}
	s.in(happened{e})
}

// hear lets a message come in.
func (s *scene) hear(from, name, text string) {
	m := &localapi.Received{
		ID: fmt.Sprint("in-", s.cursor+1), From: from, Name: name, Content: localapi.NewContent("text/plain", []byte(text)),
		Created: localapi.At(s.now), Received: localapi.At(s.now), End: localapi.At(s.now.Add(24 * time.Hour)), Stranger: strings.HasSuffix(name, "?"),
	}
	s.event(localapi.Event{Kind: localapi.EventReceived, ID: m.ID, Peer: from, Message: m})
}

// pages answers every page that was asked for with nothing.
func (s *scene) pages() {
	for _, p := range take[loadPage](s) {
		s.in(page{key: p.key, asked: p.before, newest: true})
	}
}

// screen is what is on the screen, without styles.
func (s *scene) seen() string {
	s.t.Helper()
	rows, x, y := s.view()
	if len(rows) != s.height {
		s.t.Errorf("%d rows on a screen of %d", len(rows), s.height)
	}
	for i, r := range rows {
		if w := ansi.StringWidth(r); w > s.width {
			s.t.Errorf("row %d is %d wide: %q", i, w, r)
		}
		rows[i] = strings.TrimRight(ansi.Strip(r), " ")
	}
	return strings.Join(rows, "\n") + fmt.Sprintf("\ncursor %d,%d\n", x, y)
}

// golden holds the screen against a file.
func (s *scene) golden(name string) {
	s.t.Helper()
	path, got := filepath.Join("testdata", name+".txt"), s.seen()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if string(want) != got {
		s.t.Errorf("%s: the screen is\n%s\nand not\n%s\nif that is meant, run the test with -update", name, got, want)
	}
}

// row finds the row of the screen that contains a text.
func (s *scene) row(part string) string {
	for _, r := range strings.Split(s.seen(), "\n") {
		if strings.Contains(r, part) {
			return r
		}
	}
	return ""
}
