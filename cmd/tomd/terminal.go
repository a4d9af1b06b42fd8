package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/plain"
)

// terminal is where a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	json     bool // --json
}

// print writes v as a line of JSON, or what human writes.
func (t *terminal) print(v any, human func(w io.Writer)) {
	if t.json {
		t.printJSON(t.out, v)
		return
	}
	human(t.out)
}

func (t *terminal) printJSON(w io.Writer, v any) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // a terminal that has gone has nobody to be told
}

// list writes each value as a line of JSON, or all as a table under a head.
func list[T any](t *terminal, values []T, head string, row func(T) []string) {
	if t.json {
		for _, v := range values {
			t.printJSON(t.out, v)
		}
		return
	}
	t.table(func(w io.Writer) {
		fmt.Fprintln(w, strings.Join(strings.Fields(head), "\t"))
		for _, v := range values {
			cells := row(v)
			for i := range cells {
				cells[i] = printable(cells[i])
			}
			fmt.Fprintln(w, strings.Join(cells, "\t"))
		}
	})
}

// table lines up the cells that f separates by tabs.
func (t *terminal) table(f func(w io.Writer)) {
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	f(w)
	_ = w.Flush()
}

// printable makes text of others safe for a terminal: what could move the
// cursor, change colours or the direction of writing is shown as a mark.
func printable(s string) string { return plain.Line(s) }

// lines is printable for text of several lines; those after the first are set
// in, so that no text can pass for the head of another message.
func lines(s string) string { return strings.Join(plain.Lines(s), "\n        ") }

// who is a name beside the id it stands for.
func who(name, id string) string {
	if name == "" {
		return id
	}
	return name
}

// duration is short: "3h12m", "250ms".
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	default:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
}

// clockTime is how one speaks of a time near now: "14:03", "14:03 tomorrow".
func clockTime(now, at time.Time) string {
	at = at.In(now.Location())
	day := func(t time.Time) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC)
	}
	switch day(at).Sub(day(now)) {
	case 0:
		return at.Format("15:04")
	case 24 * time.Hour:
		return at.Format("15:04") + " tomorrow"
	case -24 * time.Hour:
		return at.Format("15:04") + " yesterday"
	default:
		return at.Format("15:04 on 2 January")
	}
}

// stamp is a time in a list.
func stamp(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.Local().Format("Jan _2 15:04:05")
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
