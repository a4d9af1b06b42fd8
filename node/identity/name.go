package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds the name a peer gives itself, in bytes.
const maxName = 64

// cleanName makes a name from outside fit to be shown: valid UTF-8, nothing
// that steers a terminal or turns the text around, at most maxName bytes.
func cleanName(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), 16*maxName)], "")
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s))
	for len(s) > maxName {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}
