package plain

import (
	"strings"
	"testing"
	"unicode"
)

func TestNothingOfOthersReachesTheTerminal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"hello, wörld 日本 🙂", "hello, wörld 日本 🙂"},
		{"\x1b[2Jgone", "�[2Jgone"},
		{"\x1b]52;c;aGk=\a", "�]52;c;aGk=�"},
		{"\u009b31m", "�31m"},
		{"abc\u202edef", "abc�def"},
		{"a\u200db", "a�b"},
		{"back\b\b\rover", "back���over"},
		{"bad\xffbyte", "bad�byte"},
		{"e\u0301\u0301\u0301\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301\u0301"},
	} {
		if got := Line(tt.text); got != tt.want {
			t.Errorf("%q becomes %q, want %q", tt.text, got, tt.want)
		}
	}
	if got := strings.Join(Lines("one\r\n\ttwo\x1b[31m\n\n"), "|"); got != "one|    two�[31m" {
		t.Errorf("lines %q", got)
	}
}

func FuzzLine(f *testing.F) {
	f.Add("\x1b[2J\u202e\x00")
	f.Fuzz(func(t *testing.T, s string) {
		for _, line := range Lines(s) {
			for _, r := range line {
				if !unicode.IsPrint(r) && r != Mark {
					t.Fatalf("%q leaves %q", s, r)
				}
			}
		}
	})
}
