package chat

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/tom-protocol/tom/cmd/tomd/plain"
	"github.com/tom-protocol/tom/node/localapi"
)

// otherScreen is a screen that is no talk.
func (s *state) otherScreen() []string {
	var title string
	var rows []string
	switch s.screen {
	case helping:
		title, rows = "help", helpRows()
	case linking:
		title, rows = s.link.title, s.linkRows()
	case knowing:
		title, rows = s.aboutRows()
	case tracing:
		title, rows = s.traceRows()
	}
	foot := s.screenFoot()
	height := s.height - headHeight - len(foot)
	if over := len(rows) - height; over > 0 {
		rows = append(rows[:height-1], fmt.Sprintf("… %d rows more: make the window higher", over+1))
	}
	out := []string{fit(" "+strong.Styled(title), s.width), faint.Styled(strings.Repeat("─", s.width))}
	for i := range height {
		text := ""
		if i < len(rows) {
			text = rows[i]
		}
		out = append(out, fit(" "+text, s.width))
	}
	return append(out, foot...)
}

func (s *state) screenFoot() []string {
	if s.gone || s.notice != "" {
		return s.foot()
	}
	text := " Esc back"
	switch s.screen {
	case linking:
		text += "  c copies the link  (the mouse selects as ever on this screen)"
	case tracing:
		text += "  ↑ ↓ another message of yours"
	}
	return []string{faint.Styled(fit(text, s.width))}
}

var help = []struct{ keys, what string }{
	{"Enter", "send"},
	{"Alt+Enter, ^J", "a new line in the text; pasted lines stay one message"},
	{"↑ ↓", "beyond the text: what was written before"},
	{"^A ^E ^W ^U ^K", "begin, end; delete word, to the begin, to the end"},
	{"Tab, Alt+↑ ↓", "another talk; Alt+U the next with something unread"},
	{"PgUp PgDn, wheel", "earlier and later; Ctrl+Home, Ctrl+End"},
	{"F2 F3 F4", "my link; about this talk; way of a message (or click on it)"},
	{"^C", "end"},
}

func helpRows() (rows []string) {
	for _, h := range help {
		rows = append(rows, fit(h.keys, 18)+h.what)
	}
	rows = append(rows, "")
	for _, c := range commands {
		if c.help != "" {
			rows = append(rows, fit("/"+c.name+" "+c.args, 18)+c.help)
		}
	}
	return append(rows, "queued, sent, relayed, stored: on its way. delivered, read: signed for.")
}

// linkRows are a link as text, beside it or below it as a QR code.
func (s *state) linkRows() []string {
	height := s.height - headHeight - len(s.screenFoot())
	code, holds := qr(s.link.text, s.width-2, height)
	if code == nil {
		rows := wrapHard(s.link.text, s.width-2)
		w, h := qrSize(s.link.text)
		return append(rows, "", fmt.Sprintf("for a QR code the window must have %d columns and %d rows", w+2, h+headHeight+1))
	}
	side := ansi.StringWidth(code[0])
	beside := wrapHard(s.link.text, s.width-2-side-2)
	if holds != s.link.text {
		beside = append(beside, "", "The code has room for less", "than all of it.")
	}
	rows := make([]string, max(len(code), len(beside)))
	for i := range rows {
		if i < len(code) {
			rows[i] = code[i]
		}
		rows[i] = fit(rows[i], side+2)
		if i < len(beside) {
			rows[i] += beside[i]
		}
	}
	return rows
}

// wrapHard breaks a link anywhere.
func wrapHard(s string, width int) []string {
	return strings.Split(ansi.Hardwrap(plain.Line(s), max(8, width), true), "\n")
}

func (s *state) aboutRows() (title string, rows []string) {
	a := &s.about
	t := s.talk(a.key)
	switch {
	case a.err != nil:
		return s.title(t), []string{plain.Line(a.err.Error())}
	case a.key.group:
		return s.title(t), s.groupRows(&a.group)
	case a.contact.ID == "" && a.peer == nil:
		rows = []string{"asking the daemon"}
	}
	return s.title(t), append(s.personRows(t), rows...)
}

func (s *state) personRows(t *talk) []string {
	a := &s.about
	rows := []string{"id       " + plain.Line(t.id), "is       " + s.kindOf(t)}
	if p := a.peer; p != nil {
		path := p.Path
		if p.Via != "" {
			path += " via " + s.nameOf(t, p.Via)
		}
		rows = append(rows,
			"path     "+plain.Line(path)+", "+plain.Line(p.Transport),
			fmt.Sprintf("answers  after %.1f ms", p.RTTMS))
	} else {
		rows = append(rows, "path     not connected")
	}
	if seen := a.contact.Seen; !seen.IsZero() {
		rows = append(rows, "seen     "+s.clock(seen.Time))
	}
	for _, addr := range a.contact.Addrs {
		rows = append(rows, "at       "+plain.Line(addr))
	}
	return rows
}

func (s *state) kindOf(t *talk) string {
	switch {
	case t.muted:
		return "muted"
	case t.stranger:
		return "a stranger, who calls itself so"
	case s.about.contact.Added.IsZero():
		return "somebody you have written to"
	}
	return "a contact of yours"
}

// groupRows tell who is in a group, who is hub, and who has what.
func (s *state) groupRows(g *localapi.Group) []string {
	if g.Group == "" {
		return []string{"asking the daemon"}
	}
	roles := map[string]string{g.Hub: "hub"}
	if g.Shadow != "" {
		roles[g.Shadow] = "shadow: next if the hub goes"
	}
	if g.Candidate != "" {
		roles[g.Candidate] = "candidate: the one after"
	}
	rows := []string{
		fmt.Sprintf("%s, %d records, term %d", members(len(g.Members)), g.Seq, g.Term),
		"id " + plain.Line(g.Group), "",
		fit("MEMBER", 20) + fit("", 8) + fit("HERE", 8) + fit("HAS", 7) + fit("READ", 7) + "PART",
	}
	for _, m := range g.Members {
		name, here := named(m.Name, m.ID), "away"
		if m.Online {
			here = "online"
		}
		if m.ID == s.me.ID {
			name += " (you)"
		}
		role := ""
		if m.Role == "admin" {
			role = "admin"
		}
		rows = append(rows, fit(name, 20)+fit(role, 8)+fit(here, 8)+fit(fmt.Sprint(m.AckedSeq), 7)+fit(fmt.Sprint(m.ReadSeq), 7)+roles[m.ID])
	}
	return rows
}

// traceRows tell the way of a message of ours.
func (s *state) traceRows() (title string, rows []string) {
	t := s.talk(s.traced.key)
	title = "way of a message to " + s.title(t)
	if l := t.find(s.traced.id); l != nil {
		rows = append(rows, "“"+ansi.Truncate(strings.Join(l.text, " "), s.width-6, "…")+"”", "written "+s.clock(l.at)+", "+l.stands(), "")
	}
	switch tr := &s.traced; {
	case tr.err != nil:
		return title, append(rows, plain.Line(tr.err.Error()))
	case tr.group.Group != "":
		return title, append(rows, s.groupWay(tr)...)
	case tr.trace.ID == "":
		return title, append(rows, "asking the daemon")
	}
	return title, append(rows, s.way(t, &s.traced.trace)...)
}

func (s *state) way(t *talk, tr *localapi.Trace) (rows []string) {
	if !tr.ForwardSecret {
		rows = append(rows, "not forward secret: sealed to the identity, for want of a prekey")
	}
	for _, a := range tr.Attempts {
		how := a.Transport
		for i, id := range a.Via {
			how += map[bool]string{true: " via ", false: ", "}[i == 0] + s.nameOf(t, id)
		}
		if how != "" {
			how += ": "
		}
		rows = append(rows, s.clock(a.At.Time)+"  "+fit(plain.Line(a.Path), 9)+plain.Line(how+cmp.Or(a.Result, "no answer yet")))
	}
	if len(tr.Attempts) == 0 {
		rows = append(rows, "no attempt yet")
	}
	live := slices.DeleteFunc(slices.Clone([]localapi.Holder(tr.Holders)), func(h localapi.Holder) bool { return !h.Live })
	if len(tr.Holders) > 0 {
		rows = append(rows, "", fmt.Sprintf("kept by %d, of whom %d live:", len(tr.Holders), len(live)))
	}
	for _, h := range tr.Holders {
		rows = append(rows, "  "+fit(s.nameOf(t, h.ID), 20)+"until "+s.clock(h.Until.Time)+map[bool]string{true: "", false: ", does not answer"}[h.Live])
	}
	if !tr.Next.IsZero() {
		rows = append(rows, "", "next try "+s.clock(tr.Next.Time))
	}
	if tr.SupersededBy != "" {
		rows = append(rows, "", "sealed anew as "+plain.Line(tr.SupersededBy))
	}
	return rows
}

// groupWay tells where a message to a group is.
func (s *state) groupWay(tr *traced) []string {
	rows := []string{fmt.Sprintf("%s; kept by %d of those that make up the hub", groupStands(&tr.sent), tr.sent.Replicas)}
	if tr.sent.Seq == 0 {
		return append(rows, "not in the group's log yet")
	}
	rows = append(rows, fmt.Sprintf("record %d of term %d", tr.sent.Seq, tr.sent.Term), "")
	for _, m := range tr.group.Members {
		has := "does not have it yet"
		switch {
		case m.ID == s.me.ID:
			continue
		case m.ReadSeq >= tr.sent.Seq:
			has = "has read it"
		case m.AckedSeq >= tr.sent.Seq:
			has = "has it"
		}
		rows = append(rows, "  "+fit(named(m.Name, m.ID), 20)+has)
	}
	return rows
}

// day is how long a group's invitation holds.
const day = 24 * time.Hour
