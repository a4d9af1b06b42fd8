package chat

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/tom-protocol/tom/node/localapi"
)

// Sizes of the screen's parts, in cells.
const (
	leastWidth  = 40
	leastHeight = 10
	headHeight  = 2 // names, and a rule
	mostFoot    = 3 // rows of what has to be said
	mostText    = 6 // rows of the editor
)

func (s *state) listWidth() int {
	if s.width < 60 {
		return 0
	}
	return min(24, s.width/4)
}

// paneWidth is that of the talk, without the rule at its left.
func (s *state) paneWidth() int {
	if w := s.listWidth(); w > 0 {
		return s.width - w - 2
	}
	return s.width
}

func (s *state) textWidth() int { return max(1, s.width-2) }

// textHeight is that of the editor.
func (s *state) textHeight() int {
	t := s.talks[s.open]
	if t == nil {
		return 1
	}
	return max(1, min(len(t.text.rows(s.textWidth())), mostText, s.height/3))
}

// paneHeight is how many rows of a talk are shown.
func (s *state) paneHeight() int {
	return max(1, s.height-headHeight-1-s.textHeight()-len(s.foot()))
}

// view is the screen, row by row, and where the cursor stands on it; x is
// negative where there is none.
func (s *state) view() (rows []string, x, y int) {
	if s.width < leastWidth || s.height < leastHeight {
		return []string{fit(fmt.Sprintf("at least %d×%d, please", leastWidth, leastHeight), s.width)}, -1, 0
	}
	if s.screen != talking {
		return s.otherScreen(), -1, 0
	}
	t := s.talks[s.open]
	rows = append(s.head(t), s.body(t)...)
	rows = append(rows, s.rule("┴"))
	text, x, y := s.editorView(t)
	y += len(rows)
	rows = append(rows, text...)
	return append(rows, s.foot()...), x, y
}

// rule is a line from left to right; joint is where the list ends.
func (s *state) rule(joint string) string {
	w := s.listWidth()
	if w == 0 {
		return faint.Styled(strings.Repeat("─", s.width))
	}
	return faint.Styled(strings.Repeat("─", w) + joint + strings.Repeat("─", s.width-w-1))
}

func (s *state) head(t *talk) []string {
	title, about := "no talk yet: F1 helps", ""
	if t != nil {
		title, about = strong.Styled(s.title(t)), s.aboutLine(t)
	}
	return []string{s.besideList(strong.Styled(fit(" "+s.myName, s.listWidth())), ends(title, about, s.paneWidth())), s.rule("┼")}
}

func (s *state) title(t *talk) string {
	if t.group {
		return "# " + t.name
	}
	return t.name
}

// aboutLine says a word on who is there.
func (s *state) aboutLine(t *talk) string {
	switch {
	case t.group:
		return fmt.Sprintf("%s, hub %s", members(t.members), s.nameOf(t, t.hub))
	case t.muted:
		return "muted"
	case t.stranger:
		return "stranger: /name makes a contact"
	case t.presence == localapi.State("online"):
		return good.Styled("online")
	}
	return string(t.presence)
}

func members(n int) string {
	if n == 1 {
		return "1 member"
	}
	return fmt.Sprintf("%d members", n)
}

// nameOf is what a member or peer is called.
func (s *state) nameOf(t *talk, id string) string {
	switch {
	case id == "":
		return "nobody"
	case id == s.me.ID:
		return s.myName
	}
	if name := s.names[id]; name != "" && t.group {
		return name
	}
	if p := s.talks[key{id: id}]; p != nil {
		return p.name
	}
	return short(id)
}

// besideList puts a row of the list and one of the pane side by side.
func (s *state) besideList(list, pane string) string {
	if s.listWidth() == 0 {
		return pane
	}
	return list + faint.Styled("│") + " " + pane
}

// body is the list beside the talk.
func (s *state) body(t *talk) (rows []string) {
	list := s.list()
	lines, below := s.window(t)
	for i := range s.paneHeight() {
		row := ""
		if i < len(lines) {
			row = lines[i].text
		}
		if below > 0 && i == s.paneHeight()-1 {
			row = news.Styled(fit(fmt.Sprintf("↓ %d more rows: PgDn, Ctrl+End", below), s.paneWidth()))
		}
		rows = append(rows, s.besideList(list[i], fit(row, s.paneWidth())))
	}
	return rows
}

// list is the talks, one a row, as many as there is room for.
func (s *state) list() []string {
	width, height := s.listWidth(), s.paneHeight()
	rows := make([]string, height)
	for i := range rows {
		rows[i] = strings.Repeat(" ", width)
	}
	if width == 0 {
		return rows
	}
	s.keepInSight(height)
	for i := 0; i < height && s.top+i < len(s.order); i++ {
		rows[i] = s.listRow(s.talks[s.order[s.top+i]], width)
	}
	return rows
}

// keepInSight scrolls the list so that the open talk is on it.
func (s *state) keepInSight(height int) {
	for i, k := range s.order {
		if k == s.open {
			s.top = max(min(s.top, i), i-height+1)
		}
	}
}

func (s *state) listRow(t *talk, width int) string {
	sign, count := "  ", ""
	switch {
	case t.group:
		sign = "# "
	case t.stranger:
		sign = "? "
	case t.presence == localapi.State("online"):
		sign = "* "
	}
	mark := "  "
	if t.key == s.open {
		mark = " >"
	}
	if t.unread > 0 {
		count = fmt.Sprint(" ", min(t.unread, 999), " ")
	}
	if t.text.text != "" && t.key != s.open {
		count += "… "
	}
	row := ends(mark+sign+t.name, count, width)
	switch {
	case t.key == s.open:
		return chosen.Styled(row)
	case t.unread > 0:
		return news.Styled(row)
	case t.stranger:
		return faint.Styled(row)
	}
	return row
}

// editorView is the text to be sent, and where its cursor stands.
func (s *state) editorView(t *talk) (rows []string, x, y int) {
	height := s.textHeight()
	if t == nil {
		return []string{fit("", s.width)}, -1, 0
	}
	spans := t.text.rows(s.textWidth())
	row, column := t.text.place(spans)
	first := max(0, min(row-height/2, len(spans)-height))
	for _, span := range spans[first : first+height] {
		rows = append(rows, fit(" "+span.shown, s.width))
	}
	if t.text.text == "" {
		rows[0] = faint.Styled(fit(" write to "+s.title(t), s.width))
	}
	return rows, min(column+1, s.width-1), row - first
}

const keysLine = "F1 help  F2 my link  F3 about  F4 way of a message  Tab next  ^C quit"

// foot is the last row, or a few: what has to be said, or the keys.
func (s *state) foot() []string {
	style, text := faint, keysLine
	switch {
	case s.goneWhy != "":
		style, text = bad, "the daemon refuses: "+s.goneWhy
	case s.gone:
		style, text = bad, fmt.Sprintf("daemon away since %s: what you write stays here until it is back", s.clock(s.goneAt))
	case s.notice != "":
		style, text = waiting, s.notice
	case !s.begun:
		text = "asking the daemon"
	default:
		return []string{style.Styled(fit(" "+text, s.width))}
	}
	rows := wrap(text, s.width-2)
	rows = rows[:min(len(rows), mostFoot)]
	for i := range rows {
		rows[i] = style.Styled(fit(" "+rows[i], s.width))
	}
	return rows
}

// row is a row of a talk; line is the index of the line it belongs to.
type row struct {
	text string
	line int
}

// window are the rows on the screen, and how many are below.
func (s *state) window(t *talk) (rows []row, below int) {
	if t == nil {
		return nil, 0
	}
	height := s.paneHeight()
	all := s.rows(t, t.scroll+height)
	if over := t.scroll + height - len(all); over > 0 {
		t.scroll = max(0, t.scroll-over)
	}
	return all[max(0, len(all)-height-t.scroll) : len(all)-t.scroll], t.scroll
}

// rows are the last rows of a talk, at most a number of them.
func (s *state) rows(t *talk, most int) (rows []row) {
	for i := len(t.queue) - 1; i >= 0 && len(rows) < most; i-- {
		rows = append(s.draftRows(t.queue[i]), rows...)
	}
	for i := len(t.lines) - 1; i >= 0 && len(rows) < most; i-- {
		rows = append(s.lineRows(t, i), rows...)
	}
	if over := len(rows) - most; over > 0 {
		rows = rows[over:]
	}
	return rows
}

// shown are the lines on the screen.
func (s *state) shown(t *talk) (lines []int) {
	rows, _ := s.window(t)
	for _, r := range rows {
		if r.line >= 0 && (len(lines) == 0 || lines[len(lines)-1] != r.line) {
			lines = append(lines, r.line)
		}
	}
	return lines
}

func (s *state) draftRows(d *draft) []row {
	text, _ := words(d.text)
	return s.layOut(-1, s.clock(d.at), mine.Styled(s.myName), s.myName, text, waiting.Styled("waits for the daemon"))
}

// lineRows are the rows of a line: time, name, text, and behind one's own how it
// stands. Rows after the first are set in, so that no text can pass for the head
// of another line.
func (s *state) lineRows(t *talk, i int) []row {
	l := &t.lines[i]
	if l.from == "" {
		return s.layOut(i, s.clock(l.at), "", "", []string{"· " + strings.Join(l.text, " ")}, "")
	}
	text := l.text
	if l.cut > 0 {
		text = append(text[:len(text):len(text)], fmt.Sprintf("[%d bytes more: tomd inbox shows them]", l.cut))
	}
	name, state := theirs.Styled(l.name), ""
	if l.own {
		name, state = mine.Styled(l.name), s.stateStyled(l)
	}
	return s.layOut(i, s.clock(l.at), name, l.name, text, state)
}

func (s *state) stateStyled(l *line) string {
	word := l.stands()
	switch {
	case l.state == localapi.Failed, l.state == localapi.Expired, l.sent != nil && l.sent.State == localapi.GroupRefused:
		return bad.Styled(word)
	case l.state.Reached(localapi.Delivered), l.sent != nil && l.sent.State.Reached(localapi.GroupDelivered):
		return good.Styled(word)
	}
	return waiting.Styled(word)
}

// layOut makes the rows of one line: styled is name in colour, state stands at
// the right end.
func (s *state) layOut(index int, at, styled, name string, text []string, state string) (rows []row) {
	width, indent := s.paneWidth(), ansi.StringWidth(at)+1
	head, used := faint.Styled(at)+" ", indent
	if name != "" {
		head += ansi.Truncate(styled, maxName, "…") + " "
		used += min(ansi.StringWidth(name), maxName) + 1
	}
	for i, part := range text {
		room := width - indent
		if i == 0 {
			room = width - used
		}
		for _, piece := range wrapFirst(part, room, width-indent) {
			rows = append(rows, row{head + piece, index})
			head = strings.Repeat(" ", indent)
		}
	}
	if state == "" {
		return rows
	}
	last := &rows[len(rows)-1]
	if ansi.StringWidth(last.text)+ansi.StringWidth(state)+2 <= width {
		last.text = ends(last.text, state, width)
		return rows
	}
	return append(rows, row{ends("", state, width), index})
}

// maxName is how much of a name is shown before what was said, cells.
const maxName = 16

// wrapFirst wraps a text whose first row has less room than the others.
func wrapFirst(s string, first, rest int) []string {
	rows := wrap(s, first)
	if len(rows) < 2 || first == rest || !strings.HasPrefix(s, rows[0]) {
		return rows
	}
	return append(rows[:1:1], wrap(strings.TrimLeft(s[len(rows[0]):], " "), rest)...)
}

// clock is a time of day, as the person here has it.
func (s *state) clock(at time.Time) string { return at.In(s.zone).Format(s.layout) }
