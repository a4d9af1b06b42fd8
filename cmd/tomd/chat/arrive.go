package chat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/plain"
	"github.com/tom-protocol/tom/node/localapi"
)

// loaded takes everything but words.
func (s *state) loaded(in loaded) (todo []any) {
	s.loading = false
	back := s.gone
	s.begun, s.gone, s.goneWhy = true, false, ""
	s.me, s.myName = in.me, ownName(in.me)
	s.counted = in.talks.Cursor
	s.invited(in.invites)
	s.people(in)
	s.groups(in.groups)
	s.sort()
	if s.wanted != "" {
		todo = s.openWanted()
	}
	if s.talks[s.open] == nil && len(s.order) > 0 {
		s.show(s.order[0])
	}
	if back {
		todo = append(todo, s.resume()...)
	}
	return todo
}

// invited tells of invitations that were not there before.
func (s *state) invited(list []localapi.ReceivedInvite) {
	for _, i := range list {
		if !slices.ContainsFunc(s.invites, func(x localapi.ReceivedInvite) bool { return x.Invite == i.Invite }) {
			s.tell("%s invites you to the group %s: /join %s", named(i.FromName, i.From), i.Name, i.Name)
		}
	}
	s.invites = list
}

// ownName is the name in one's own link.
func ownName(me localapi.Identity) string {
	_, query, _ := strings.Cut(me.Link, "?")
	for _, part := range strings.Split(query, "&") {
		if name, ok := strings.CutPrefix(part, "n="); ok {
			return named(name, me.ID)
		}
	}
	return "you"
}

// people takes contacts and those who wrote.
func (s *state) people(in loaded) {
	known := make(map[key]bool)
	for _, x := range in.talks.Talks {
		t := s.talk(key{id: x.ID})
		known[t.key] = true
		t.name, t.stranger, t.muted, t.unread = named(x.Name, x.ID), x.Stranger, x.Muted, x.Unread
		t.presence = ""
	}
	for _, c := range in.contacts {
		t := s.talk(key{id: c.ID})
		known[t.key] = true
		t.muted, t.presence = c.Muted, c.State
		if !c.Added.IsZero() {
			t.name, t.stranger = named(c.Name, c.ID), false
		}
	}
	for _, p := range in.peers {
		if t := s.talks[key{id: p.ID}]; t != nil && !t.stranger {
			t.presence = "online" // of who is no contact too
		}
	}
	for k, t := range s.talks {
		if !k.group && !known[k] && k != s.open && t.text.text == "" && len(t.queue) == 0 {
			delete(s.talks, k)
		}
	}
}

func (s *state) groups(list []localapi.GroupLine) {
	known := make(map[key]bool)
	for _, g := range list {
		t := s.talk(key{group: true, id: g.Group})
		known[t.key] = true
		t.name, t.hub, t.members = named(g.Name, g.Group), g.Hub, g.Members
		t.unread, t.read = g.Unread, max(t.read, g.Read)
	}
	for k, t := range s.talks {
		if k.group && !known[k] && t.text.text == "" && len(t.queue) == 0 {
			delete(s.talks, k)
		}
	}
}

// openWanted opens what the command line named.
func (s *state) openWanted() (todo []any) {
	wanted := s.wanted
	s.wanted = ""
	for k, t := range s.talks {
		if t.name == wanted || k.id == wanted || k.group && len(wanted) >= 6 && strings.HasPrefix(k.id, wanted) {
			s.show(k)
			return nil
		}
	}
	id := strings.TrimPrefix(wanted, "tom:peer/")
	id, _, _ = strings.Cut(id, "?")
	if !strings.HasPrefix(id, "12D3KooW") {
		s.notice = "nobody and no group is called " + plain.Line(wanted) + ": /add LINK NAME makes a contact"
		return nil
	}
	s.show(key{id: id})
	return []any{do{what: orderConnect, arg: wanted}}
}

// resume goes on when the daemon is back: what hangs is given to it once more.
func (s *state) resume() (todo []any) {
	s.notice = "the daemon is back"
	for _, t := range s.talks {
		t.loading = false
		switch {
		case len(t.queue) > 0 && t.queue[0].lost:
			todo = append(todo, s.look(t)...)
		case t.group:
			todo = append(todo, s.readLog(t)...)
		}
		todo = append(todo, s.pump(t)...)
	}
	return todo
}

// look reads a talk's newest page, to find a draft that the daemon may have.
func (s *state) look(t *talk) []any {
	t.loading = true
	return []any{loadPage{key: t.key}}
}

// readLog asks for what is new in a group's log.
func (s *state) readLog(t *talk) []any {
	switch {
	case !t.held || t.newer || s.gone:
		return nil
	case t.loading:
		t.stale = true
		return nil
	}
	t.loading = true
	return []any{loadLog{t.key, t.at}}
}

// happened takes an event.
func (s *state) happened(e localapi.Event) []any {
	switch {
	case e.Gap:
		for _, t := range s.talks {
			t.forget()
		}
		s.reload = true
	case e.Kind == localapi.EventReceived && e.Message != nil:
		s.received(e.Message)
	case e.Kind == localapi.EventState:
		return s.moved(e)
	case e.Kind == localapi.EventRead && e.Cursor > s.counted:
		s.reload = s.reload || s.readElsewhere(e)
	case e.Kind == localapi.EventPeer:
		if t := s.talks[key{id: e.Peer}]; t != nil {
			t.presence = e.State
		}
	case e.Kind == localapi.EventContact:
		s.reload = true
	case e.Kind == localapi.EventGroup && e.Group != nil:
		return s.groupEvent(e)
	}
	return nil
}

// received takes a message that came in.
func (s *state) received(m *localapi.Received) {
	t := s.talk(key{id: m.From})
	if name := named(m.Name, m.From); t.name != name || t.stranger != m.Stranger {
		t.name, t.stranger = name, m.Stranger
		s.sort()
	}
	if m.Cursor > s.counted && !m.Read {
		t.unread++
	}
	if (t.held || t.loading) && !t.newer { // a page on its way may be older than it
		s.append(t, receivedLine(m))
	}
}

// append adds a line at the end; a window that is not at the end stays where it
// is.
func (s *state) append(t *talk, l line) {
	t.add(false, l)
	if t.scroll > 0 {
		t.scroll += len(s.lineRows(t, t.place(&l)-1))
	}
}

// readElsewhere takes that a message was read; true if it was not here that it
// was.
func (s *state) readElsewhere(e localapi.Event) bool {
	t := s.talks[key{id: e.Peer}]
	if t == nil {
		return true
	}
	for i := range t.lines {
		if l := &t.lines[i]; !l.own && l.id == e.ID {
			was := l.unread
			l.unread = false
			return was
		}
	}
	return true
}

// moved takes that a message of ours has come further.
func (s *state) moved(e localapi.Event) (todo []any) {
	for _, t := range s.talks {
		l := t.find(e.ID)
		if l == nil {
			continue
		}
		l.state = e.State
		if e.State == localapi.Expired {
			l.endUnsigned()
			return nil
		}
		return []any{askStanding{t.key, []string{e.ID}}}
	}
	if e.State == localapi.Queued { // somebody else sent it from here
		return []any{askStanding{ids: []string{e.ID}}}
	}
	return nil
}

// page takes a part of a talk.
func (s *state) page(in page) []any {
	t := s.talks[in.key]
	if t == nil {
		return nil
	}
	if in.err != nil {
		t.failed = true // loading until the next tick: no storm of questions
		if none := (*localapi.NoDaemonError)(nil); !errors.As(in.err, &none) {
			s.tell("%s", in.err)
		}
		return nil
	}
	t.loading = false
	lines := make([]line, 0, len(in.words)+len(in.records))
	for _, w := range in.words {
		lines = append(lines, s.wordsLine(w))
	}
	for _, r := range in.records {
		lines = append(lines, s.recordLine(r))
		t.at = max(t.at, r.Cursor)
	}
	if in.asked != 0 || !t.held {
		t.more, t.before = in.more, in.before
	}
	t.held = true
	t.add(in.asked != 0, lines...)
	todo := s.adopt(t, in)
	if t.group && (t.stale || in.asked == 0 && !in.newest) {
		t.stale = false
		todo = append(todo, s.readLog(t)...)
	}
	return todo
}

// said takes the daemon's answer to a draft.
func (s *state) said(in said) []any {
	t := s.talks[in.key]
	if t == nil || len(t.queue) == 0 {
		return nil
	}
	d := t.queue[0]
	var none *localapi.NoDaemonError
	var known *localapi.Error
	switch {
	case in.err == nil:
		return s.accepted(t, in.id)
	case errors.As(in.err, &none), errors.Is(in.err, context.DeadlineExceeded), errors.As(in.err, &known) && known.Code == localapi.CodeStopping:
		d.lost = true // it stays first
		if s.gone {
			return nil
		}
		return s.look(t)
	}
	s.tell("not sent: %s", in.err)
	t.queue = t.queue[1:]
	if t.text.text == "" {
		t.text.set(d.text)
	} else {
		t.remember(d.text)
	}
	return s.pump(t)
}

// accepted turns the first draft into a line.
func (s *state) accepted(t *talk, id string) []any {
	d := t.queue[0]
	t.queue = t.queue[1:]
	if t.find(id) == nil && !t.newer { // a page on its way may be older than it
		text, cut := words(d.text)
		l := line{id: id, own: true, from: s.me.ID, name: s.myName, text: text, cut: cut, at: d.at, end: d.at.Add(24 * time.Hour)}
		if t.group {
			l.sent = &localapi.GroupSent{State: localapi.GroupQueued}
		} else {
			l.state = localapi.Queued
		}
		t.add(false, l)
	}
	return append(s.pump(t), askStanding{t.key, []string{id}})
}

// pump gives the next draft of a talk to the daemon.
func (s *state) pump(t *talk) []any {
	if s.gone || len(t.queue) == 0 || t.queue[0].tried {
		return nil
	}
	d := t.queue[0]
	d.tried, d.known = true, make(map[string]bool)
	for i := range t.lines {
		d.known[t.lines[i].id] = t.lines[i].own
	}
	return []any{say{t.key, d.text}}
}

// adopt looks in a page for the draft of which it is not known whether the
// daemon has it; if it is not there, it is said again.
func (s *state) adopt(t *talk, in page) []any {
	if len(t.queue) == 0 || !t.queue[0].lost || in.asked != 0 || s.gone || t.group && !in.newest {
		return nil
	}
	d := t.queue[0]
	text, _ := words(d.text)
	for i := range t.lines {
		l := &t.lines[i]
		if l.own && !d.known[l.id] && strings.Join(l.text, "\n") == strings.Join(text, "\n") && l.at.After(d.at.Add(-time.Second)) {
			t.queue = t.queue[1:]
			return s.pump(t)
		}
	}
	d.lost = false
	return []any{say{t.key, d.text}}
}

// unmark takes back that lines were read, which the daemon did not hear.
func (s *state) unmark(in marked) {
	t := s.talks[in.key]
	if t == nil || in.err == nil {
		return
	}
	for i := range t.lines {
		for _, c := range in.cursors {
			t.lines[i].unread = t.lines[i].unread || t.lines[i].cursor == c && !t.lines[i].own
		}
	}
	if in.seq > 0 && in.seq == t.read {
		t.read--
	}
}

// standing takes how an own message stands.
func (s *state) standing(in standing) {
	if in.message != nil && in.key == (key{}) {
		t := s.talks[key{id: in.message.To}]
		if t != nil && t.held && !t.newer && t.find(in.id) == nil && len(t.queue) == 0 {
			t.held = false // sent from elsewhere: read it
		}
		return
	}
	t := s.talks[in.key]
	if t == nil {
		return
	}
	l := t.find(in.id)
	switch {
	case l == nil:
	case in.group != nil:
		l.sent = in.group
		if l.cursor == 0 && in.group.Seq > 0 { // now it has its place
			moved := *l
			moved.cursor = localapi.Cursor(in.group.Seq)
			t.add(false, moved)
		}
	case in.message != nil && isNews(l.state, in.message.State):
		l.state, l.holders, l.reason = in.message.State, in.message.Holders, plain.Line(in.message.Reason)
		if l.state != localapi.Expired {
			l.end = in.message.End.Time
		}
	}
}

// isNews says that what was answered is not older than what is known: answers may
// come in another order than they were asked for.
func isNews(known, answered localapi.State) bool {
	return answered.Reached(known) || answered.Over() && !known.Reached(answered)
}

// done takes the answer to what a person asked for.
func (s *state) done(in done) []any {
	if in.err != nil {
		s.tell("%s", in.err)
		return nil
	}
	s.tell("%s", in.text)
	if in.link != "" {
		s.link, s.screen = shownLink{title: in.text, text: in.link}, linking
	}
	if in.opens != (key{}) {
		s.show(in.opens)
	}
	s.reload = false
	s.loading = true
	return []any{load{}}
}

// tell shows a line at the bottom.
func (s *state) tell(format string, args ...any) {
	s.notice = cmp.Or(plain.Line(fmt.Sprintf(format, args...)), s.notice)
}
