// Package plain makes text of others safe for a terminal.
package plain

import (
	"strings"
	"unicode"
)

// Mark stands for what was taken out.
const Mark = '\ufffd'

// maxMarks is how many marks may sit on one character: languages need three,
// more of them would paint over the lines above and below.
const maxMarks = 4

// Line is s on one line: what could move the cursor, change colours or the
// direction of writing is shown as a mark.
func Line(s string) string {
	marks := 0
	return strings.Map(func(r rune) rune {
		switch {
		case !unicode.IsPrint(r):
			marks = 0
			return Mark
		case !unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Me, r):
			marks = 0
			return r
		}
		if marks++; marks > maxMarks {
			return -1
		}
		return r
	}, s)
}

// Lines is s line by line, each as [Line] makes it, tabs as four spaces.
func Lines(s string) []string {
	parts := strings.Split(strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n"), "\n")
	for i, part := range parts {
		parts[i] = Line(strings.ReplaceAll(part, "\t", "    "))
	}
	return parts
}
