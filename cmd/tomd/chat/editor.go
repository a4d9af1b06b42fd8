package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/tom-protocol/tom/cmd/tomd/plain"
)

// maxText is how much one message may be, bytes; what goes over it is not taken.
const maxText = 200 << 10

// editor is a text under a cursor. The cursor stands between characters as a
// person counts them, which may be several runes each.
type editor struct {
	text string
	at   int // offset of the cursor, bytes
}

// insert puts text at the cursor, without what is no text; it says whether all
// of it had room.
func (e *editor) insert(s string) bool {
	s = typed(s)
	room := maxText - len(e.text)
	fits := len(s) <= room
	if !fits {
		s = strings.ToValidUTF8(s[:room], "")
	}
	e.text = e.text[:e.at] + s + e.text[e.at:]
	e.at += len(s)
	e.settle()
	return fits
}

// typed is what of a pasted text is text.
func typed(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", "    ").Replace(strings.ToValidUTF8(s, ""))
	return strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

// settle moves a cursor that has come to stand within a character behind it.
func (e *editor) settle() {
	start := strings.LastIndexByte(e.text[:e.at], '\n') + 1
	for start < e.at {
		start += len(firstCluster(e.text[start:]))
	}
	e.at = start
}

// set replaces all, with the cursor at the end.
func (e *editor) set(s string) { e.text, e.at = s, len(s) }

func firstCluster(s string) string {
	c, _ := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
	if c == "" && s != "" {
		return s[:1]
	}
	return c
}

// lastCluster is the last character of s and its length.
func lastCluster(s string) (c string, size int) {
	start := strings.LastIndexByte(strings.TrimSuffix(s, "\n"), '\n') + 1
	for rest := s[start:]; rest != ""; rest = rest[len(c):] {
		c = firstCluster(rest)
	}
	return c, len(c)
}

func (e *editor) left() {
	_, size := lastCluster(e.text[:e.at])
	e.at -= size
}

func (e *editor) right() {
	if e.at < len(e.text) {
		e.at += len(firstCluster(e.text[e.at:]))
	}
}

// cut takes out what lies between a place and the cursor.
func (e *editor) cut(other int) {
	from, to := min(e.at, other), max(e.at, other)
	e.text, e.at = e.text[:from]+e.text[to:], from
	e.settle()
}

// move says where a movement leads, without making it.
func (e *editor) move(way func(*editor)) int {
	there := *e
	way(&there)
	return there.at
}

func (e *editor) wordLeft() {
	e.at = len(strings.TrimRightFunc(e.text[:e.at], unicode.IsSpace))
	if i := strings.LastIndexFunc(e.text[:e.at], unicode.IsSpace); i >= 0 {
		e.at = i
		e.right()
	} else {
		e.at = 0
	}
}

func (e *editor) wordRight() {
	rest := strings.TrimLeftFunc(e.text[e.at:], unicode.IsSpace)
	e.at = len(e.text) - len(rest)
	if i := strings.IndexFunc(rest, unicode.IsSpace); i >= 0 {
		e.at += i
	} else {
		e.at = len(e.text)
	}
}

func (e *editor) lineStart() { e.at = strings.LastIndexByte(e.text[:e.at], '\n') + 1 }

func (e *editor) lineEnd() {
	if i := strings.IndexByte(e.text[e.at:], '\n'); i >= 0 {
		e.at += i
	} else {
		e.at = len(e.text)
	}
}

// span is a row of the editor: text from..to, which is shown as shown.
type span struct {
	from, to int
	shown    string
	width    int
}

// rows breaks the text at newlines and at the width.
func (e *editor) rows(width int) (rows []span) {
	row := span{}
	next := func(at int) {
		rows = append(rows, row)
		row = span{from: at, to: at}
	}
	for at := 0; at < len(e.text); {
		c := firstCluster(e.text[at:])
		if c == "\n" {
			next(at + 1)
			at++
			continue
		}
		shown, w := drawn(c)
		if row.width+w > width {
			next(at)
		}
		row.shown, row.width = row.shown+shown, row.width+w
		at += len(c)
		row.to = at
	}
	return append(rows, row)
}

// place is where the cursor stands among rows.
func (e *editor) place(rows []span) (row, column int) {
	for row = len(rows) - 1; row > 0 && rows[row].from > e.at; row-- {
	}
	for at := rows[row].from; at < e.at; {
		c := firstCluster(e.text[at:])
		_, w := drawn(c)
		at, column = at+len(c), column+w
	}
	return row, column
}

// drawn is a character as it is drawn, and its width: at most two cells, of
// which terminals agree.
func drawn(c string) (shown string, width int) {
	shown = plain.Line(c)
	if width = ansi.StringWidth(shown); width > 2 {
		r, _ := utf8.DecodeRuneInString(shown)
		shown = string(r)
		width = ansi.StringWidth(shown)
	}
	return shown, width
}

// vertical moves by rows, as near to the column as can be; false if there is no
// such row.
func (e *editor) vertical(by, width int) bool {
	rows := e.rows(width)
	row, column := e.place(rows)
	if row += by; row < 0 || row >= len(rows) {
		return false
	}
	e.at = rows[row].from
	for e.at < rows[row].to {
		c := firstCluster(e.text[e.at:])
		_, w := drawn(c)
		if column -= w; column < 0 {
			break
		}
		e.at += len(c)
	}
	return true
}
