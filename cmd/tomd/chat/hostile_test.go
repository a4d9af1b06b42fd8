package chat

import (
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	tea "charm.land/bubbletea/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

// nasty are pieces of texts that want to steer a terminal or a layout.
var nasty = []string{
	"\x1b[2J", "\x1b]0;title\a", "\x1b]52;c;aGk=\x1b\\", "\u009b31m", "\x1bP", "\r", "\b\b\b", "\x00", "\u202e", "\u2066", "\u200d", "\ufeff", "\xff\xfe",
	"日本", "🙂", "e\u0301\u0301\u0301\u0301\u0301\u0301", "\t", "\n", " ", "word", strings.Repeat("x", 300), "ｱ", "\u0e33", "🏳\ufe0f\u200d🌈",
}

// TestNothingOfOthersSteersTheTerminal gives every text of others whatever comes
// to mind, and looks at each byte that would be written.
func TestNothingOfOthersSteersTheTerminal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.Custom(func(r *rapid.T) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(nasty), 0, 8).Draw(r, "parts"), "")
		})
		draw := func(what string) string { return text.Draw(r, what) }
		s := newScene(t)
		s.in(tea.WindowSizeMsg{Width: rapid.IntRange(1, 120).Draw(r, "width"), Height: rapid.IntRange(1, 40).Draw(r, "height")})
		all := s.everything()
		all.contacts[0].Name, all.talks.Talks[1].Name, all.groups[0].Name = draw("contact"), draw("stranger"), draw("group")
		all.me.Link += draw("own name")
		all.invites = []localapi.ReceivedInvite{{Name: draw("invited to"), FromName: draw("by")}}
		s.in(all, page{key: key{id: bob}, words: []localapi.Words{own("1", draw("mine"), localapi.State(draw("state")), 1)}})
		s.hear(bob, draw("name"), draw("text"))
		s.in(tea.PasteMsg{Content: draw("pasted")})
		look(r, s)
		s.press("f4")
		s.in(traced{key: key{id: bob}, id: "1", trace: localapi.Trace{
			ID: "1", SupersededBy: draw("successor"), Holders: []localapi.Holder{{ID: draw("holder")}},
			Attempts: []localapi.Attempt{{Path: draw("path"), Transport: draw("transport"), Result: draw("result"), Via: []string{draw("via")}}},
		}})
		look(r, s)
		s.press("f3")
		s.in(about{key: key{id: bob}, contact: localapi.Contact{Addrs: []string{draw("address")}}, peer: &localapi.Peer{Path: draw("path"), Via: draw("via"), Transport: draw("t")}})
		look(r, s)
		s.press("f2")
		look(r, s)
		g := key{group: true, id: friends}
		s.show(g)
		s.in(page{key: g, newest: true, records: []localapi.GroupRecord{
			{Kind: "message", Name: draw("member"), From: draw("from"), Content: localapi.NewContent("text/x", []byte(draw("said"))), Cursor: 1, Mark: draw("mark")},
			{Kind: draw("kind"), Name: draw("member"), Content: localapi.NewContent("", []byte(draw("about"))), Cursor: 2},
			{Kind: "kick", Name: draw("member"), Content: localapi.NewContent("", []byte(draw("about"))), Cursor: 3},
			{Kind: "message", Content: localapi.NewContent(draw("type"), []byte{0xff}), Cursor: 4},
		}})
		for _, what := range []localapi.GroupWhat{localapi.GroupHub, localapi.GroupForged, localapi.GroupNotTaken, localapi.GroupForked} {
			s.event(localapi.Event{Kind: localapi.EventGroup, Group: &localapi.GroupEvent{Group: friends, Name: draw("group"), What: what, Peer: draw("peer"), PeerName: draw("peer name"), Detail: draw("detail")}})
		}
		look(r, s)
		s.press("f3")
		s.in(about{key: g, group: localapi.Group{Group: draw("id"), Hub: "h", Members: []localapi.GroupMember{{ID: "h", Name: draw("member"), Role: draw("role")}}}})
		look(r, s)
	})
}

// look fails if a row holds more than styles and printable text, or is wider
// than the screen.
func look(t *rapid.T, s *scene) {
	rows, x, y := s.view()
	if len(rows) > max(1, s.height) || x >= max(1, s.width) || y >= max(1, s.height) {
		t.Fatalf("%d rows, cursor %d,%d on %d×%d", len(rows), x, y, s.width, s.height)
	}
	for _, row := range rows {
		if w := ansi.StringWidth(row); w > s.width {
			t.Fatalf("%d cells on a screen of %d: %q", w, s.width, row)
		}
		for i, r := range row {
			if r == '\x1b' {
				if end := strings.IndexByte(row[i:], 'm'); end < 0 || strings.Trim(row[i+2:i+end], "0123456789;") != "" || row[i+1] != '[' {
					t.Fatalf("a sequence that is no style: %q", row)
				}
				continue
			}
			if !unicode.IsPrint(r) {
				t.Fatalf("%q in %q", r, row)
			}
		}
	}
}
