package chat

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// key takes a key.
func (s *state) key(k tea.KeyPressMsg) []any {
	name := k.Keystroke()
	if name != "ctrl+c" {
		s.leaving = false
	}
	s.notice = ""
	if f := globalKeys[name]; f != nil {
		return f(s)
	}
	if s.screen != talking {
		return s.screenKey(name)
	}
	t := s.talks[s.open]
	if t == nil {
		return nil
	}
	if f := talkKeys[name]; f != nil {
		return f(s, t)
	}
	if f := editKeys[name]; f != nil {
		f(&t.text)
		return nil
	}
	if k.Text != "" && k.Mod&(tea.ModCtrl|tea.ModAlt) == 0 {
		s.write(t, k.Text)
	}
	return nil
}

// write puts text into the editor.
func (s *state) write(t *talk, text string) {
	if !t.text.insert(text) {
		s.tell("a message has at most %d KiB: the rest was left out", maxText>>10)
	}
}

func (s *state) paste(text string) {
	s.notice = ""
	if t := s.talks[s.open]; t != nil && s.screen == talking {
		s.write(t, text)
	}
}

// globalKeys work on every screen.
var globalKeys = map[string]func(*state) []any{
	"f1":        func(s *state) []any { return s.flip(helping) },
	"f2":        func(s *state) []any { return s.flip(linking) },
	"f3":        func(s *state) []any { return s.flip(knowing) },
	"f4":        func(s *state) []any { return s.flip(tracing) },
	"ctrl+c":    (*state).quit,
	"tab":       func(s *state) []any { s.next(1); return nil },
	"shift+tab": func(s *state) []any { s.next(-1); return nil },
	"alt+down":  func(s *state) []any { s.next(1); return nil },
	"alt+up":    func(s *state) []any { s.next(-1); return nil },
	"alt+u":     (*state).nextUnread,
}

// talkKeys work on a talk.
var talkKeys = map[string]func(*state, *talk) []any{
	"enter":     (*state).enter,
	"kpenter":   (*state).enter,
	"pgup":      func(s *state, t *talk) []any { s.scroll(t, s.paneHeight()-1); return nil },
	"pgdown":    func(s *state, t *talk) []any { s.scroll(t, 1-s.paneHeight()); return nil },
	"ctrl+home": func(s *state, t *talk) []any { s.scroll(t, 1<<20); return nil },
	"ctrl+end":  func(s *state, t *talk) []any { s.scroll(t, -1<<20); return nil },
	"up":        func(s *state, t *talk) []any { s.upDown(t, -1); return nil },
	"down":      func(s *state, t *talk) []any { s.upDown(t, 1); return nil },
	"ctrl+d":    (*state).deleteOrQuit,
}

// editKeys work on the text.
var editKeys = map[string]func(*editor){
	"alt+enter":      func(e *editor) { e.insert("\n") },
	"shift+enter":    func(e *editor) { e.insert("\n") },
	"ctrl+j":         func(e *editor) { e.insert("\n") },
	"left":           (*editor).left,
	"ctrl+b":         (*editor).left,
	"right":          (*editor).right,
	"ctrl+f":         (*editor).right,
	"ctrl+left":      (*editor).wordLeft,
	"alt+left":       (*editor).wordLeft,
	"alt+b":          (*editor).wordLeft,
	"ctrl+right":     (*editor).wordRight,
	"alt+right":      (*editor).wordRight,
	"alt+f":          (*editor).wordRight,
	"home":           (*editor).lineStart,
	"ctrl+a":         (*editor).lineStart,
	"end":            (*editor).lineEnd,
	"ctrl+e":         (*editor).lineEnd,
	"backspace":      func(e *editor) { e.cut(e.move((*editor).left)) },
	"ctrl+h":         func(e *editor) { e.cut(e.move((*editor).left)) },
	"delete":         func(e *editor) { e.cut(e.move((*editor).right)) },
	"ctrl+w":         func(e *editor) { e.cut(e.move((*editor).wordLeft)) },
	"alt+backspace":  func(e *editor) { e.cut(e.move((*editor).wordLeft)) },
	"ctrl+backspace": func(e *editor) { e.cut(e.move((*editor).wordLeft)) },
	"alt+d":          func(e *editor) { e.cut(e.move((*editor).wordRight)) },
	"ctrl+delete":    func(e *editor) { e.cut(e.move((*editor).wordRight)) },
	"ctrl+u":         func(e *editor) { e.cut(e.move((*editor).lineStart)) },
	"ctrl+k":         func(e *editor) { e.cut(e.move((*editor).lineEnd)) },
}

// flip shows a screen, or the talk again.
func (s *state) flip(to screen) []any {
	mine := shownLink{title: "your link: whoever has it can write to you", text: s.me.Link}
	if s.screen == to && (to != linking || s.link == mine) {
		s.screen = talking
		return nil
	}
	t := s.talks[s.open]
	switch {
	case to == linking:
		s.link = mine
	case to == helping:
	case t == nil:
		return nil
	case to == knowing:
		s.screen, s.about = knowing, about{key: t.key}
		return []any{askAbout{t.key}}
	case to == tracing:
		return s.traceFrom(t, len(t.lines), -1)
	}
	s.screen = to
	return nil
}

// traceFrom shows the way of the nearest message of ours from a line on.
func (s *state) traceFrom(t *talk, from, by int) []any {
	for i := from + by; i >= 0 && i < len(t.lines); i += by {
		if l := &t.lines[i]; l.own && l.id != "" {
			s.screen, s.traced = tracing, traced{key: t.key, id: l.id}
			return []any{askTrace{t.key, l.id}}
		}
	}
	if s.screen != tracing {
		s.tell("there is no message of yours here")
	}
	return nil
}

// screenKey takes a key on another screen than a talk.
func (s *state) screenKey(name string) []any {
	switch name {
	case "esc", "q", "enter":
		s.screen = talking
	case "c":
		if s.screen == linking {
			s.tell("copied, if the terminal lets programs do that")
			return []any{copyText{s.link.text}}
		}
	case "up", "down":
		t := s.talks[s.traced.key]
		if s.screen != tracing || t == nil {
			return nil
		}
		by := map[string]int{"up": -1, "down": 1}[name]
		for i := range t.lines {
			if t.lines[i].own && t.lines[i].id == s.traced.id {
				return s.traceFrom(t, i, by)
			}
		}
	}
	return nil
}

// quit ends the program; a text that is not sent makes it ask once.
func (s *state) quit() []any {
	var unsent []string
	for _, k := range s.order {
		if t := s.talks[k]; strings.TrimSpace(t.text.text) != "" || len(t.queue) > 0 {
			unsent = append(unsent, t.name)
		}
	}
	if len(unsent) == 0 || s.leaving {
		return []any{leave{}}
	}
	s.leaving = true
	s.tell("not sent yet: your text to %s. ^C once more leaves without it", strings.Join(unsent, ", "))
	return nil
}

func (s *state) deleteOrQuit(t *talk) []any {
	if t.text.text == "" {
		return s.quit()
	}
	t.text.cut(t.text.move((*editor).right))
	return nil
}

// upDown moves in the text, and beyond its ends among those sent before.
func (s *state) upDown(t *talk, by int) {
	if !t.text.vertical(by, s.textWidth()) {
		t.recall(-by)
	}
}

// scroll moves the window up by rows.
func (s *state) scroll(t *talk, by int) {
	to := max(0, t.scroll+by)
	t.scroll = max(0, min(to, len(s.rows(t, to+s.paneHeight()))-s.paneHeight()))
}

// enter sends the text, or does what a command says.
func (s *state) enter(t *talk) []any {
	text := strings.TrimSpace(t.text.text)
	if text == "" {
		return nil
	}
	if strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") && !strings.Contains(text, "\n") {
		t.remember(text)
		t.text = editor{}
		return s.command(t, text)
	}
	if len(t.queue) >= maxHistory {
		s.tell("too many messages wait for the daemon already")
		return nil
	}
	text = strings.TrimRight(t.text.text, " \n")
	if strings.HasPrefix(text, "//") {
		text = text[1:]
	}
	t.remember(text)
	t.text, t.scroll = editor{}, 0
	t.queue = append(t.queue, &draft{text: text, at: s.now})
	if len(t.queue) > 1 {
		return nil
	}
	return s.pump(t)
}

// nextUnread opens the next talk in the list in which something was not read.
func (s *state) nextUnread() []any {
	for range s.order {
		s.next(1)
		if s.talks[s.open].unread > 0 {
			break
		}
	}
	return nil
}

// click takes a click.
func (s *state) click(m tea.Mouse) []any {
	s.notice = ""
	if m.Button != tea.MouseLeft || s.screen != talking {
		return nil
	}
	if m.X < s.listWidth() {
		if i := s.top + m.Y - headHeight; m.Y >= headHeight && i < len(s.order) && m.Y < headHeight+s.paneHeight() {
			s.show(s.order[i])
		}
		return nil
	}
	t := s.talks[s.open]
	if t == nil {
		return nil
	}
	rows, _ := s.window(t)
	if i := m.Y - headHeight; i >= 0 && i < len(rows) && rows[i].line >= 0 && rows[i].line < len(t.lines) && t.lines[rows[i].line].own {
		return s.traceFrom(t, rows[i].line+1, -1)
	}
	return nil
}

// wheel scrolls the talk, or the list under the pointer.
func (s *state) wheel(m tea.Mouse) []any {
	t, by := s.talks[s.open], 0
	switch m.Button {
	case tea.MouseWheelUp:
		by = 3
	case tea.MouseWheelDown:
		by = -3
	}
	switch {
	case m.X < s.listWidth():
		s.top = max(0, min(s.top-by, len(s.order)-s.paneHeight()))
	case t != nil && s.screen == talking:
		s.scroll(t, by)
	}
	return nil
}
