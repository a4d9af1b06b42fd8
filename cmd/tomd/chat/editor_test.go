package chat

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// edited applies keys to a text; | is the cursor.
func edited(text string, keys ...string) string {
	var e editor
	before, after, _ := strings.Cut(text, "|")
	e.text, e.at = before+after, len(before)
	for _, k := range keys {
		if f := editKeys[k]; f != nil {
			f(&e)
			continue
		}
		switch k {
		case "up":
			e.vertical(-1, 10)
		case "down":
			e.vertical(1, 10)
		default:
			e.insert(k)
		}
	}
	return e.text[:e.at] + "|" + e.text[e.at:]
}

func TestEditing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, keys, want string
	}{
		{"|", "a b", "ab|"},
		{"ab|c", "left left left", "|abc"},
		{"a|bc", "right right right", "abc|"},
		{"e\u0301👩\u200d👧x|", "left left left", "|e\u0301👩\u200d👧x"},
		{"e\u0301👩\u200d👧|x", "backspace", "e\u0301|x"},
		{"|👩\u200d👧x", "delete", "|x"},
		{"one two  three|", "ctrl+w", "one two  |"},
		{"one two  |", "ctrl+w", "one |"},
		{"one |two three", "alt+d", "one | three"},
		{"one two|", "ctrl+left ctrl+left ctrl+left", "|one two"},
		{"|one two", "ctrl+right", "one| two"},
		{"ab\ncd|ef\ngh", "home", "ab\n|cdef\ngh"},
		{"ab\ncd|ef\ngh", "end", "ab\ncdef|\ngh"},
		{"ab\ncd|ef\ngh", "ctrl+u", "ab\n|ef\ngh"},
		{"ab\ncd|ef\ngh", "ctrl+k", "ab\ncd|\ngh"},
		{"ab|cd", "alt+enter", "ab\n|cd"},
		{"ab\n|cd", "backspace", "ab|cd"},
		{"abc\nd|\nefg", "up", "a|bc\nd\nefg"},
		{"abc|\nd\nefg", "down down", "abc\nd\ne|fg"},
		{"0123456789012|3", "up", "012|34567890123"},
		{"日本語日本語|x", "up", "日|本語日本語x"},
		{"|abc", "up", "|abc"},
	} {
		if got := edited(tt.text, strings.Fields(tt.keys)...); got != tt.want {
			t.Errorf("%q, %s: %q, want %q", tt.text, tt.keys, got, tt.want)
		}
	}
}

func TestPastedTextIsText(t *testing.T) {
	t.Parallel()
	var e editor
	if !e.insert("one\r\ntwo\tthree\x1b[2J\x00\rfour\xff") || e.text != "one\ntwo    three[2J\nfour" {
		t.Errorf("%q", e.text)
	}
	e = editor{}
	if e.insert(strings.Repeat("日", maxText)) || len(e.text) > maxText || !utf8.ValidString(e.text) {
		t.Errorf("%d bytes", len(e.text))
	}
	if e.insert("x日") {
		t.Error("more than fits")
	}
}

// TestTheCursorStandsBetweenCharacters holds the editor against what must be
// true of it whatever is done.
func TestTheCursorStandsBetweenCharacters(t *testing.T) {
	t.Parallel()
	var names []string
	for name := range editKeys {
		names = append(names, name)
	}
	names = append(names, "up", "down", "x", "\u0301", "👩", "\u200d", "日本", "\n", " word ")
	rapid.Check(t, func(t *rapid.T) {
		e := editor{}
		width := rapid.IntRange(2, 12).Draw(t, "width")
		for _, k := range rapid.SliceOf(rapid.SampledFrom(names)).Draw(t, "keys") {
			switch f := editKeys[k]; {
			case f != nil:
				f(&e)
			case k == "up":
				e.vertical(-1, width)
			case k == "down":
				e.vertical(1, width)
			default:
				e.insert(k)
			}
			if !utf8.ValidString(e.text) || e.at < 0 || e.at > len(e.text) || !utf8.ValidString(e.text[:e.at]) {
				t.Fatalf("%q, cursor %d", e.text, e.at)
			}
			rows := e.rows(width)
			row, column := e.place(rows)
			if row < 0 || row >= len(rows) || column > width {
				t.Fatalf("%q: cursor in row %d, column %d of %d", e.text, row, column, width)
			}
			all := ""
			for i, r := range rows {
				if r.width > width {
					t.Fatalf("row %+v is wider than %d", r, width)
				}
				if i > 0 && e.text[r.from-1] == '\n' {
					all += "\n"
				}
				all += e.text[r.from:r.to]
			}
			if all != e.text {
				t.Fatalf("rows hold %q, text %q", all, e.text)
			}
		}
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()
	s, talk := opened(t)
	for _, text := range []string{"one", "two", "one"} {
		s.send(text)
	}
	s.write("begun")
	check := func(keys, want string) {
		t.Helper()
		if s.press(strings.Fields(keys)...); talk.text.text != want {
			t.Errorf("%s: %q, want %q", keys, talk.text.text, want)
		}
	}
	check("up", "one")
	check("up", "two")
	check("up", "two")
	check("down", "one")
	check("down", "begun")
	check("down", "")
	check("up", "begun")
}
