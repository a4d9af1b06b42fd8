package chat

import (
	"fmt"
	"strings"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/plain"
	"github.com/tom-protocol/tom/node/localapi"
)

// maxShown is how much of one message is shown, bytes.
const maxShown = 8 << 10

// groupLife is how long what is written in a group can be read.
const groupLife = 24 * time.Hour

// words are the lines of a text, and how many bytes of it are too many.
func words(text string) (lines []string, cut int) {
	if cut = len(text) - maxShown; cut > 0 {
		text = strings.ToValidUTF8(text[:maxShown], "")
	}
	return plain.Lines(text), max(0, cut)
}

// contentLines shows text as it is, and of anything else what it is.
func contentLines(c localapi.Content) (lines []string, cut int) {
	if c.Encoding == "" && (c.Type == "" || strings.HasPrefix(c.Type, "text/")) {
		return words(c.Body)
	}
	size := len(c.Body)
	if b, err := c.Bytes(); err == nil {
		size = len(b)
	}
	return []string{fmt.Sprintf("[%s, %d bytes]", plain.Line(c.Type), size)}, 0
}

func receivedLine(m *localapi.Received) line {
	l := line{
		id: m.ID, cursor: m.Cursor, from: m.From, name: named(m.Name, m.From),
		at: m.Received.Time, end: m.End.Time, unread: !m.Read,
	}
	l.text, l.cut = contentLines(m.Content)
	return l
}

// wordsLine is a row of a talk with a person.
func (s *state) wordsLine(w localapi.Words) line {
	if w.Sent == nil {
		return receivedLine(w.Received)
	}
	l := line{
		id: w.Sent.ID, cursor: w.Sent.Cursor, from: s.me.ID, own: true, name: s.myName,
		at: w.Sent.Created.Time, end: w.Sent.End.Time,
		state: w.Sent.State, holders: w.Sent.Holders, reason: plain.Line(w.Sent.Reason),
	}
	l.text, l.cut = contentLines(w.Sent.Content)
	return l
}

// recordLine is a row of a group's log.
func (s *state) recordLine(r localapi.GroupRecord) line {
	l := line{
		id: r.ID, cursor: localapi.Cursor(r.Seq), from: r.From, own: r.From == s.me.ID,
		name: named(r.Name, r.From), at: r.Created.Time,
	}
	s.calls(r.From, l.name)
	if r.Kind != "message" {
		l.from, l.own, l.text = "", false, []string{recordNote(l.name, r)}
		return l
	}
	l.end = r.Created.Add(groupLife)
	switch r.Mark {
	case "waiting":
		l.text = []string{"(its key has not come yet)"}
	case "unreadable":
		l.text = []string{"(cannot be read here)"}
	default:
		l.text, l.cut = contentLines(r.Content)
	}
	if r.Mark == "void" {
		l.text = append(l.text, "(void: the author was no member)")
	}
	if l.own {
		l.sent = &localapi.GroupSent{State: localapi.GroupAccepted}
	}
	return l
}

// recordNote says what a record did that is no message.
func recordNote(name string, r localapi.GroupRecord) string {
	about := plain.Line(r.Body)
	if i := strings.LastIndex(about, ": "); r.Kind == "role" && i >= 0 {
		about = about[:i] + about[i+1:]
	}
	note := map[string]string{
		"join":     name + " has joined",
		"leave":    name + " has left",
		"kick":     name + " has removed " + about,
		"role":     name + " makes " + about,
		"rename":   name + " calls the group " + about,
		"settings": name + " has changed the settings",
		"dissolve": name + " has dissolved the group",
		"snapshot": "the group's log begins here",
	}[r.Kind]
	if note == "" {
		note = name + ": " + plain.Line(r.Kind)
	}
	if r.Mark == "void" {
		note += " (void)"
	}
	return note
}

// stands is how an own line stands, in a word or a few.
func (l *line) stands() string {
	if l.sent != nil {
		return groupStands(l.sent)
	}
	word := plain.Line(string(l.state))
	switch {
	case l.state == localapi.Failed && l.reason != "":
		return "failed: " + l.reason
	case l.holders == 1 && !l.state.Over():
		return word + ", 1 holder"
	case l.holders > 1 && !l.state.Over():
		return fmt.Sprintf("%s, %d holders", word, l.holders)
	}
	return word
}

func groupStands(g *localapi.GroupSent) string {
	of := func(n int) string { return fmt.Sprintf("%d of %d", n, g.Members) }
	switch {
	case g.State == localapi.GroupRefused:
		return "refused: " + plain.Line(g.Reason)
	case g.Read > 0 && g.Read >= g.Members:
		return "read by all"
	case g.Read > 0:
		return "read by " + of(g.Read)
	case g.State == localapi.GroupAll:
		return "delivered to all"
	case g.State == localapi.GroupDelivered:
		return "delivered to " + of(g.Delivered)
	case g.State == localapi.GroupAccepted:
		return "in the log"
	}
	return plain.Line(string(g.State))
}
