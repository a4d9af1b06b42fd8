package chat

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/tom-protocol/tom/cmd/tomd/plain"
	"github.com/tom-protocol/tom/node/localapi"
)

// screen is what is shown instead of a talk, or nothing.
type screen int

const (
	talking screen = iota
	helping
	linking
	knowing // about a person or a group
	tracing
)

// state is all there is to know. It changes by step alone.
type state struct {
	layout string // of times, as package time has them
	zone   *time.Location
	now    time.Time

	width, height int
	focused       bool

	me       localapi.Identity
	myName   string
	wanted   string // the talk to open first, as a person named it
	begun    bool   // the daemon has answered once
	gone     bool   // the daemon does not answer
	goneAt   time.Time
	goneWhy  string          // if it answers, but not with what was asked for
	counted  localapi.Cursor // events up to here are in the counts of unread
	reload   bool            // load is to be asked for at the next tick
	loading  bool
	talks    map[key]*talk
	order    []key // of the list
	open     key
	uses     int
	top      int // first row of the list that is shown
	invites  []localapi.ReceivedInvite
	names    map[string]string // of members, by peer id; plain
	notice   string            // one line, plain
	leaving  bool              // asked once
	screen   screen
	link     shownLink
	traced   traced
	about    about
	lastPoll time.Time
}

// shownLink is a link on the screen.
type shownLink struct {
	title, text string
}

func newState(layout string, zone *time.Location, wanted string) *state {
	return &state{
		layout: cmp.Or(layout, "15:04"), zone: zone, wanted: wanted,
		width: 80, height: 24, focused: true, talks: make(map[key]*talk), names: make(map[string]string),
	}
}

// step takes what came in, and returns what is to be done.
func (s *state) step(in any) (todo []any) {
	switch in := in.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = in.Width, in.Height
	case tea.FocusMsg:
		s.focused = true
	case tea.BlurMsg:
		s.focused = false
	case tea.KeyPressMsg:
		todo = s.key(in)
	case tea.PasteMsg:
		s.paste(in.Content)
	case tea.MouseClickMsg:
		todo = s.click(in.Mouse())
	case tea.MouseWheelMsg:
		todo = s.wheel(in.Mouse())
	case tick:
		todo = s.tick(in.now)
	default:
		todo = s.arrive(in)
	}
	return append(todo, s.settle()...)
}

// arrive takes what came from the daemon.
func (s *state) arrive(in any) []any {
	switch in := in.(type) {
	case loaded:
		return s.loaded(in)
	case away:
		s.loading = false
		if !s.gone {
			s.gone, s.goneAt = true, s.now
		}
		s.goneWhy = ""
		if known := (*localapi.Error)(nil); errors.As(in.err, &known) && known.Code != localapi.CodeStopping {
			s.goneWhy = plain.Line(known.Error())
		}
	case happened:
		return s.happened(in.Event)
	case page:
		return s.page(in)
	case said:
		return s.said(in)
	case marked:
		s.unmark(in)
	case standing:
		s.standing(in)
	case traced:
		if s.screen == tracing && in.id == s.traced.id {
			s.traced = in
		}
	case about:
		for _, m := range in.group.Members {
			s.calls(m.ID, m.Name)
		}
		if s.screen == knowing && in.key == s.about.key {
			s.about = in
		}
	case done:
		return s.done(in)
	}
	return nil
}

// settle does what follows from how things stand: reads the open talk, and
// counts as read what is on the screen.
func (s *state) settle() (todo []any) {
	t := s.talks[s.open]
	if t == nil || s.gone || !s.begun {
		return nil
	}
	if !t.held && !t.loading {
		t.loading = true
		todo = append(todo, loadPage{key: t.key})
	}
	if t.more && !t.loading && t.held && s.wantsOlder(t) {
		t.loading = true
		todo = append(todo, loadPage{key: t.key, before: t.before})
	}
	if t.newer && !t.loading && t.scroll == 0 {
		t.forget()
		t.loading = true
		todo = append(todo, loadPage{key: t.key})
	}
	if t.group && !t.asked {
		t.asked = true
		todo = append(todo, askAbout{t.key})
	}
	return append(todo, s.markShown(t)...)
}

// wantsOlder says that the window is near the first line.
func (s *state) wantsOlder(t *talk) bool {
	enough := t.scroll + 2*s.paneHeight()
	return len(s.rows(t, enough)) < enough
}

// markShown counts as read what is on the screen.
func (s *state) markShown(t *talk) []any {
	if s.screen != talking || !s.focused || t.loading {
		return nil
	}
	m := markRead{key: t.key}
	for _, i := range s.shown(t) {
		l := &t.lines[i]
		if l.unread {
			l.unread = false
			m.cursors = append(m.cursors, l.cursor)
		}
		if t.group && uint64(l.cursor) > t.read && l.from != "" && !l.own {
			m.seq = uint64(l.cursor)
			t.read = m.seq
		}
	}
	if len(m.cursors) == 0 && m.seq == 0 {
		return nil
	}
	if t.group {
		t.unread, s.reload = 0, true
	} else {
		t.unread = max(0, t.unread-len(m.cursors))
	}
	return []any{m}
}

// tick lets time pass: what has ended goes, what is under way is asked about.
func (s *state) tick(now time.Time) (todo []any) {
	s.now = now
	for _, t := range s.talks {
		t.expire(now)
		if t.failed {
			t.failed, t.loading = false, false
		}
	}
	if s.gone || !s.begun {
		return nil
	}
	if s.reload && !s.loading {
		s.reload, s.loading = false, true
		todo = append(todo, load{})
	}
	if now.Sub(s.lastPoll) < 2*time.Second {
		return todo
	}
	s.lastPoll = now
	return append(todo, s.poll()...)
}

// poll asks about what no event tells: how many hold a message, how many members
// have one, and what the screen shows.
func (s *state) poll() (todo []any) {
	switch t := s.talks[s.open]; {
	case t == nil:
	case s.screen == tracing:
		todo = append(todo, askTrace{s.traced.key, s.traced.id})
	case s.screen == knowing:
		todo = append(todo, askAbout{s.about.key})
	default:
		ask := askStanding{key: t.key}
		for _, i := range s.shown(t) {
			if l := &t.lines[i]; l.own && l.id != "" && !l.settled() && (l.sent != nil || !l.state.Over()) {
				ask.ids = append(ask.ids, l.id)
			}
		}
		if len(ask.ids) > 0 {
			todo = append(todo, ask)
		}
	}
	return todo
}

// talk gives the talk of that key, which it makes if need be.
func (s *state) talk(k key) *talk {
	t := s.talks[k]
	if t == nil {
		t = &talk{key: k, name: short(k.id)}
		s.talks[k] = t
		s.sort()
	}
	return t
}

// short is an id where there is no name.
func short(id string) string {
	if len(id) > 12 {
		return "…" + plain.Line(id[len(id)-8:])
	}
	return plain.Line(id)
}

// named is a name from the daemon, made safe.
func named(name, id string) string {
	if name = strings.TrimSpace(plain.Line(name)); name != "" {
		return name
	}
	return short(id)
}

// maxNames bounds the names of members.
const maxNames = 4096

// calls takes what a member is called in its group.
func (s *state) calls(id, name string) {
	if len(s.names) >= maxNames {
		clear(s.names)
	}
	s.names[id] = named(name, id)
}

// sort brings the list into order: by name, strangers and muted ones last.
func (s *state) sort() {
	s.order = s.order[:0]
	for k, t := range s.talks {
		if !t.muted || k == s.open {
			s.order = append(s.order, k)
		}
	}
	slices.SortFunc(s.order, func(a, b key) int {
		x, y := s.talks[a], s.talks[b]
		if x.stranger != y.stranger {
			if x.stranger {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(strings.ToLower(x.name), strings.ToLower(y.name)), cmp.Compare(a.id, b.id))
	})
	if len(s.order) > maxTalks {
		s.order = s.order[:maxTalks]
	}
}

// show opens a talk, and lets the lines go of those not looked at for long.
func (s *state) show(k key) {
	s.uses++
	t := s.talk(k)
	t.used, s.open, s.screen, s.leaving = s.uses, k, talking, false
	for {
		var oldest *talk
		held := 0
		for _, t := range s.talks {
			if t.held || t.key == k {
				held++
				if oldest == nil || t.used < oldest.used {
					oldest = t
				}
			}
		}
		if held <= maxHeld || oldest.key == k {
			break
		}
		oldest.forget()
	}
	s.sort()
}

// next opens the talk by places behind the open one.
func (s *state) next(by int) {
	if len(s.order) == 0 {
		return
	}
	i := slices.Index(s.order, s.open)
	s.show(s.order[((i+by)%len(s.order)+len(s.order))%len(s.order)])
}
