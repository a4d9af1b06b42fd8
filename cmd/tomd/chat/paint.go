package chat

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// The styles. Colours are those of the terminal's own sixteen; without colour
// every one of them has a word or a sign beside it.
var (
	strong  = ansi.NewStyle().Bold()
	faint   = ansi.NewStyle().Faint()
	chosen  = ansi.NewStyle().Reverse(true)
	mine    = ansi.NewStyle().ForegroundColor(ansi.Cyan)
	theirs  = ansi.NewStyle().ForegroundColor(ansi.Green)
	good    = ansi.NewStyle().ForegroundColor(ansi.Green)
	waiting = ansi.NewStyle().ForegroundColor(ansi.Yellow)
	bad     = ansi.NewStyle().ForegroundColor(ansi.Red)
	news    = ansi.NewStyle().Bold().ForegroundColor(ansi.Yellow)
)

// fit cuts or pads a text to a width in cells.
func fit(s string, width int) string {
	if width <= 0 {
		return ""
	}
	s = ansi.Truncate(s, width, "…")
	return s + strings.Repeat(" ", max(0, width-ansi.StringWidth(s)))
}

// ends puts one text to the left and one to the right of a width; the left one
// gives way.
func ends(left, right string, width int) string {
	right = ansi.Truncate(right, width, "…")
	return fit(left, width-ansi.StringWidth(right)) + right
}

// wrap breaks a plain line into rows of at most a width.
func wrap(s string, width int) []string {
	return strings.Split(ansi.Wrap(s, max(1, width), " "), "\n")
}
