package chat

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

// opened is a scene in which bob's talk was read.
func opened(t *testing.T) (*scene, *talk) {
	s := newScene(t)
	s.pages()
	return s, s.talks[key{id: bob}]
}

func (s *scene) send(text string) {
	s.write(text)
	s.press("enter")
}

// texts are the lines of a talk.
func texts(t *talk) string {
	var all []string
	for _, l := range t.lines {
		all = append(all, strings.Join(l.text, "/"))
	}
	return strings.Join(all, "|")
}

func TestMessagesGoOutOneAfterTheOther(t *testing.T) {
	t.Parallel()
	s, talk := opened(t)
	s.send("one")
	s.send("two")
	if d := one[say](s); d.text != "one" {
		t.Errorf("said %+v", d)
	}
	s.in(said{key: talk.key, id: "1"})
	if d := one[say](s); d.text != "two" {
		t.Errorf("said %+v", d)
	}
	s.in(said{key: talk.key, id: "2"})
	s.event(localapi.Event{Kind: localapi.EventState, ID: "1", State: localapi.Delivered})
	if texts(talk) != "one|two" || talk.lines[0].state != localapi.Delivered || talk.lines[1].state != localapi.Queued {
		t.Errorf("%+v", talk.lines)
	}
	// what was known sooner does not bring a state back
	s.in(standing{key: talk.key, id: "1", message: &localapi.Message{ID: "1", State: localapi.Sent}})
	if talk.lines[0].state != localapi.Delivered {
		t.Errorf("back to %s", talk.lines[0].state)
	}
}

// TestAPageOlderThanAMessage is about a text that is sent while the talk's newest
// page is on its way, which was read before.
func TestAPageOlderThanAMessage(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	k := key{group: true, id: friends}
	s.show(k)
	s.in(tick{noon})
	take[loadPage](s)
	s.send("hello")
	s.in(said{key: k, id: "r9"})
	s.in(page{key: k, newest: true, records: []localapi.GroupRecord{{ID: "r8", Kind: "message", From: bob, Name: "bob", Content: localapi.NewContent("", []byte("before")), Cursor: 8}}})
	s.in(standing{key: k, id: "r9", group: &localapi.GroupSent{State: localapi.GroupAccepted, Seq: 9, Members: 2}})
	if got := texts(s.talks[k]); got != "before|hello" {
		t.Error(got)
	}
}

// TestAPageOlderThanWhatCame is about a message that comes while the talk's first
// page is on its way, which was read before, or after.
func TestAPageOlderThanWhatCame(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]int{"before": 1, "after": 2} {
		s := newScene(t)
		k := key{id: bob}
		s.show(k)
		s.in(tick{noon})
		one[loadPage](s)
		s.hear(bob, "bob", "came meanwhile")
		words := []localapi.Words{
			{Received: &localapi.Received{ID: "in-5", From: bob, Cursor: 5, Content: localapi.NewContent("", []byte("was there")), Received: localapi.At(noon.Add(-time.Minute))}},
			{Received: &localapi.Received{ID: "in-11", From: bob, Cursor: 11, Content: localapi.NewContent("", []byte("came meanwhile")), Received: localapi.At(noon)}},
		}
		s.in(page{key: k, newest: true, words: words[:read]})
		if got := texts(s.talks[k]); got != "was there|came meanwhile" {
			t.Errorf("a page read %s it: %s", name, got)
		}
	}
}

func TestARefusedTextComesBack(t *testing.T) {
	t.Parallel()
	s, talk := opened(t)
	s.send("too much")
	s.in(said{key: talk.key, err: localapi.Errorf(localapi.CodeTooLarge, "it is too large")})
	if talk.text.text != "too much" || !strings.Contains(s.notice, "too large") || len(talk.queue) != 0 {
		t.Errorf("text %q, notice %q", talk.text.text, s.notice)
	}
	s.press("ctrl+u")
	s.send("again")
	s.write("next")
	s.in(said{key: talk.key, err: errors.New("no")})
	if s.press("up"); talk.text.text != "again" {
		t.Errorf("recalled %q", talk.text.text)
	}
}

// TestADaemonThatGoesInTheMiddle is about a text of which nobody knows whether
// the daemon took it: it goes out once.
func TestADaemonThatGoesInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, taken := range []bool{true, false} {
		s, talk := opened(t)
		s.send("once")
		take[say](s)
		s.send("then this")
		s.in(said{key: talk.key, err: &localapi.NoDaemonError{}}, away{&localapi.NoDaemonError{}})
		none[say](s)
		take[loadPage](s)
		if !strings.Contains(s.row("once"), "waits for the daemon") {
			t.Errorf("shown as %q", s.row("once"))
		}
		s.in(s.everything())
		p := one[loadPage](s)
		var there []localapi.Words
		if taken {
			there = append(there, own("1", "once", localapi.Queued, 0))
		}
		s.in(page{key: p.key, words: there})
		want := map[bool]string{true: "then this", false: "once"}[taken]
		if d := one[say](s); d.text != want {
			t.Errorf("taken %v: said %q", taken, d.text)
		}
	}
}

func TestAwayIsKnownBeforeTheAnswerFails(t *testing.T) {
	t.Parallel()
	s, talk := opened(t)
	s.send("once")
	take[say](s)
	s.in(away{&localapi.NoDaemonError{}}, s.everything())
	none[say](s) // the first is not answered yet
	none[loadPage](s)
	s.in(said{key: talk.key, err: &localapi.NoDaemonError{}})
	s.in(page{key: one[loadPage](s).key})
	if d := one[say](s); d.text != "once" {
		t.Errorf("said %+v", d)
	}
}

func TestReadIsWhatWasShown(t *testing.T) {
	t.Parallel()
	s, talk := opened(t)
	s.hear(bob, "bob", "shown")
	if m := one[markRead](s); len(m.cursors) != 1 || m.cursors[0] != s.cursor || talk.unread != 0 {
		t.Errorf("marked %+v, unread %d", m, talk.unread)
	}
	s.hear(carol, "carol", "in another talk")
	s.in(tea.BlurMsg{})
	s.hear(bob, "bob", "while nobody looks")
	s.in(tea.FocusMsg{})
	if m := one[markRead](s); len(m.cursors) != 1 {
		t.Errorf("marked %+v", m)
	}
	s.press("f1")
	s.hear(bob, "bob", "behind the help")
	none[markRead](s)
	if talk.unread != 1 {
		t.Errorf("unread %d", talk.unread)
	}
	s.press("esc")
	m := one[markRead](s)
	s.in(marked{key: m.key, cursors: m.cursors, err: &localapi.NoDaemonError{}}) // it is tried again
	if again := one[markRead](s); again.cursors[0] != m.cursors[0] {
		t.Errorf("marked again %+v", again)
	}
	for i := range 30 {
		s.hear(bob, "bob", fmt.Sprint("row ", i))
	}
	take[markRead](s)
	s.press("pgup")
	s.hear(bob, "bob", "below the window")
	none[markRead](s)
	s.press("ctrl+end")
	if m := one[markRead](s); len(m.cursors) != 1 || m.cursors[0] != s.cursor {
		t.Errorf("marked %+v", m)
	}
}

func TestTheWindowStaysWhereItIs(t *testing.T) {
	t.Parallel()
	s, _ := opened(t)
	for i := range 60 {
		s.hear(bob, "bob", fmt.Sprint("message ", i))
	}
	s.press("pgup")
	before := s.row("message 30")
	s.hear(bob, "bob", strings.Repeat("a long one ", 30))
	if after := s.row("message 30"); before == "" || after != before {
		t.Errorf("%q became %q", before, after)
	}
	if r := s.row("more rows"); !strings.Contains(r, "↓") {
		t.Error("nothing says that there is more below")
	}
	s.in(tea.MouseWheelMsg{X: 50, Y: 5, Button: tea.MouseWheelDown})
	if after := s.row("message 30"); after != before && s.row("message 31") == "" {
		t.Error("the wheel leads astray")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	s, talk := opened(t)
	for i := range 3 * maxLines {
		s.hear(bob, "bob", fmt.Sprint(i))
	}
	if len(talk.lines) != maxLines || !talk.more {
		t.Fatalf("%d lines, more %v", len(talk.lines), talk.more)
	}
	first := talk.lines[0].cursor
	take[loadPage](s)
	s.press("ctrl+home")
	p := one[loadPage](s)
	if p.before != first {
		t.Errorf("asks for what is before %d, and %d is the first", p.before, first)
	}
	var older []localapi.Words
	for i := range pageLines {
		older = append(older, localapi.Words{Received: &localapi.Received{
			ID: fmt.Sprint("old", i), From: bob, Cursor: localapi.Cursor(1000 + i), Read: true,
			Content: localapi.NewContent("", []byte("old")), Received: localapi.At(noon.Add(-time.Hour)),
		}})
	}
	s.in(page{key: talk.key, asked: p.before, words: older, more: true, before: 1000})
	if len(talk.lines) != maxLines || !talk.newer || talk.lines[0].id != "old0" {
		t.Fatalf("%d lines, newer %v, first %s", len(talk.lines), talk.newer, talk.lines[0].id)
	}
	take[loadPage](s)
	s.hear(bob, "bob", "not among those held") // counted only
	if talk.unread == 0 {
		t.Error("it is not counted")
	}
	talk.loading = false
	s.press("ctrl+end")
	if p := one[loadPage](s); p.before != 0 {
		t.Errorf("asks for what is before %d, not for the newest", p.before)
	}
	huge := strings.Repeat("x", 1<<20)
	s.in(page{key: talk.key})
	s.hear(bob, "bob", huge)
	if l := talk.lines[0]; len(l.text[0]) > maxShown || l.cut != 1<<20-maxShown || s.row("bytes more") == "" {
		t.Errorf("%d bytes shown, %d cut", len(l.text[0]), l.cut)
	}
}

func TestLinesOfTalksNotLookedAtGo(t *testing.T) {
	t.Parallel()
	s, _ := opened(t)
	for i := range maxHeld + 5 {
		k := key{id: fmt.Sprint("somebody", i)}
		s.show(k)
		s.in(nil)
		s.pages()
		s.in(happened{localapi.Event{}})
	}
	held := 0
	for _, x := range s.talks {
		if x.held {
			held++
		}
	}
	if held > maxHeld {
		t.Errorf("%d talks are held", held)
	}
}

func TestWhatHasEndedGoes(t *testing.T) {
	t.Parallel()
	s, talk := opened(t)
	s.in(page{key: talk.key, words: []localapi.Words{own("1", "signed for", localapi.Read, 0), own("2", "never signed for", localapi.Stored, 2)}})
	s.hear(bob, "bob", "his own")
	s.in(tick{noon.Add(24*time.Hour - time.Second)})
	if texts(talk) != "signed for|never signed for|his own" {
		t.Errorf("before the end: %s", texts(talk))
	}
	s.in(tick{noon.Add(24 * time.Hour)})
	if texts(talk) != "(ended: nobody has signed for it)" {
		t.Errorf("at the end: %s", texts(talk))
	}
	s.event(localapi.Event{Kind: localapi.EventState, ID: "2", State: localapi.Expired})
	if !strings.Contains(s.row("ended"), "expired") {
		t.Errorf("shown as %q", s.row("ended"))
	}
}

func TestEventsAreTakenOnce(t *testing.T) {
	t.Parallel()
	s, talk := opened(t)
	s.press("f1") // nothing is marked
	s.hear(bob, "bob", "one")
	row := &localapi.Received{ID: "in-11", From: bob, Name: "bob", Cursor: 11, Content: localapi.NewContent("", []byte("one")), Received: localapi.At(noon)}
	s.in(page{key: talk.key, words: []localapi.Words{{Received: row}}})
	if texts(talk) != "one" || talk.unread != 1 {
		t.Errorf("%s, unread %d", texts(talk), talk.unread)
	}
	all := s.everything() // counted up to here: the event of it comes once more
	all.talks.Talks = []localapi.Talk{{ID: bob, Name: "bob", Unread: 1}}
	s.in(all, happened{localapi.Event{Cursor: 11, Kind: localapi.EventReceived, Message: row}})
	if texts(talk) != "one" || talk.unread != 1 {
		t.Errorf("after a reload: %s, unread %d", texts(talk), talk.unread)
	}
}

func TestAGapReadsEverythingAnew(t *testing.T) {
	t.Parallel()
	s, talk := opened(t)
	s.hear(bob, "bob", "one")
	s.in(happened{localapi.Event{Gap: true}})
	if len(talk.lines) != 0 {
		t.Error("the lines stay")
	}
	one[loadPage](s)
	s.in(tick{noon.Add(time.Second)})
	one[load](s)
}

func TestWhatAnotherProgramSendsIsShown(t *testing.T) {
	t.Parallel()
	s, talk := opened(t)
	s.event(localapi.Event{Kind: localapi.EventState, ID: "99", State: localapi.Queued})
	ask := one[askStanding](s)
	s.in(standing{key: ask.key, id: ask.ids[0], message: &localapi.Message{ID: "99", To: bob}})
	s.in(page{key: one[loadPage](s).key, words: []localapi.Words{own("99", "from a script", localapi.Queued, 0)}})
	if texts(talk) != "from a script" {
		t.Error(texts(talk))
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	s, talk := opened(t)
	for _, tt := range []struct {
		text string
		want do
	}{
		{"/add tom:peer/x dave of the dock", do{what: orderAdd, arg: "tom:peer/x", arg2: "dave of the dock"}},
		{"/name robert", do{what: orderName, key: talk.key, arg: "robert"}},
		{"/create new friends", do{what: orderCreate, arg: "new friends"}},
		{"/join tom:join/abc", do{what: orderJoin, arg: "tom:join/abc"}},
		{"/mute", do{what: orderMute, key: talk.key}},
		{"/forget", do{what: orderForget, key: talk.key}},
	} {
		s.send(tt.text)
		if d := one[do](s); d != tt.want {
			t.Errorf("%s wants %+v", tt.text, d)
		}
	}
	for text, notice := range map[string]string{
		"/nonsense":  "there is no /nonsense, and nothing was sent",
		"/add":       "/add needs LINK",
		"/mute now":  "/mute takes nothing",
		"/leave":     "that is for a group",
		"/\x1b[2J x": "there is no /",
	} {
		if s.send(text); !strings.Contains(s.notice, notice) {
			t.Errorf("%s: %q", text, s.notice)
		}
	}
	none[do](s)
	none[say](s)
	s.send("//a path")
	if d := one[say](s); d.text != "/a path" {
		t.Errorf("said %q", d.text)
	}
	s.in(done{do: do{what: orderInvite}, text: "a link into the group", link: "tom:join/xyz"})
	if s.row("tom:join/xyz") == "" {
		t.Error("the link is not shown")
	}
	s.in(done{do: do{what: orderAdd}, text: "dave is a contact now", opens: key{id: "dave"}})
	if s.open.id != "dave" || !strings.Contains(s.row("dave is a contact"), "now") {
		t.Errorf("open %v, notice %q", s.open, s.notice)
	}
}

func TestLeavingWithTextAsksOnce(t *testing.T) {
	t.Parallel()
	s, _ := opened(t)
	s.press("ctrl+c")
	one[leave](s)
	s.write("half a")
	s.press("tab", "ctrl+c")
	none[leave](s)
	if !strings.Contains(s.notice, "bob") {
		t.Errorf("notice %q", s.notice)
	}
	s.press("ctrl+c")
	one[leave](s)
}

func TestTheMouse(t *testing.T) {
	t.Parallel()
	s, talk := opened(t)
	s.in(page{key: talk.key, words: []localapi.Words{own("1", "mine", localapi.Delivered, 0)}})
	s.in(tea.MouseClickMsg{X: 3, Y: 3, Button: tea.MouseLeft})
	if s.open.id != carol {
		t.Errorf("opened %v", s.open)
	}
	s.in(tea.MouseClickMsg{X: 3, Y: 15, Button: tea.MouseLeft}, tea.MouseClickMsg{X: 3, Y: 2, Button: tea.MouseLeft})
	s.in(tea.MouseClickMsg{X: 40, Y: 2, Button: tea.MouseLeft})
	if a := one[askTrace](s); a.id != "1" || s.screen != tracing {
		t.Errorf("asks %+v", a)
	}
}

func TestWhoIsNamedOnTheCommandLine(t *testing.T) {
	t.Parallel()
	for wanted, open := range map[string]key{
		"carol": {id: carol}, carol: {id: carol}, "friends": {group: true, id: friends}, friends[:8]: {group: true, id: friends},
		"tom:peer/" + eve + "?n=x": {id: eve}, "nobody": {id: bob},
	} {
		s := &scene{state: newState("", time.UTC, wanted), t: t}
		s.in(s.everything())
		if s.open != open {
			t.Errorf("%s opens %v", wanted, s.open)
		}
	}
}

func TestInvitationsAreTold(t *testing.T) {
	t.Parallel()
	s, _ := opened(t)
	all := s.everything()
	all.invites = []localapi.ReceivedInvite{{Invite: "x", Name: "chess\x1b[31m", From: carol, FromName: "carol"}}
	s.in(all)
	if s.notice != "carol invites you to the group chess�[31m: /join chess�[31m" {
		t.Errorf("notice %q", s.notice)
	}
	s.press("left")
	if s.in(all); s.notice != "" {
		t.Errorf("told again: %q", s.notice)
	}
}

// Who is connected is shown so also if no contact; a stranger stays one.
func TestWhoIsNoContactIsShownOnline(t *testing.T) {
	t.Parallel()
	s, _ := opened(t)
	in := s.everything()
	in.talks.Talks = append(in.talks.Talks, localapi.Talk{ID: "dave", Name: "dave?"})
	in.peers = []localapi.Peer{{ID: "dave"}, {ID: eve}, {ID: "nobody"}}
	s.in(in)
	for who, want := range map[string]localapi.State{"dave": "online", eve: "", carol: "offline"} {
		if got := s.talks[key{id: who}].presence; got != want {
			t.Errorf("%s is shown %q", who, got)
		}
	}
	in.peers = nil
	s.in(in)
	if got := s.talks[key{id: "dave"}].presence; got != "" {
		t.Errorf("one who has gone is shown %q", got)
	}
}

// An answer that was overtaken by a later one takes nothing back.
func TestAnOlderAnswerTakesNothingBack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ known, answered, want localapi.State }{
		{localapi.Read, localapi.Delivered, localapi.Read},
		{localapi.Delivered, localapi.Queued, localapi.Delivered},
		{localapi.Delivered, localapi.Read, localapi.Read},
		{localapi.Queued, localapi.Delivered, localapi.Delivered},
		{localapi.Queued, localapi.Failed, localapi.Failed},
		{localapi.Failed, localapi.Queued, localapi.Failed},
	} {
		s, talk := opened(t)
		talk.add(false, line{id: "m1", cursor: 99, own: true, text: []string{"hello"}, state: tt.known, at: s.now, end: s.now.Add(time.Hour)})
		s.in(standing{key: talk.key, id: "m1", message: &localapi.Message{ID: "m1", State: tt.answered, End: localapi.At(s.now.Add(time.Hour))}})
		if l := talk.find("m1"); l == nil || l.state != tt.want {
			t.Errorf("%s, then %s: %+v", tt.known, tt.answered, l)
		}
		s.in(page{key: talk.key, words: []localapi.Words{{Sent: &localapi.Own{Cursor: 99, Message: localapi.Message{
			ID: "m1", State: tt.answered, Created: localapi.At(s.now), End: localapi.At(s.now.Add(time.Hour)),
		}}}}})
		if l := talk.find("m1"); l == nil || l.state != tt.want {
			t.Errorf("%s, then a page with %s: %+v", tt.known, tt.answered, l)
		}
	}
}

// Who is invited is named as on the screen; where several are shown under a name,
// or nobody is, the daemon knows what to make of it.
func TestWhoIsInvitedIsNamedAsShown(t *testing.T) {
	t.Parallel()
	s, _ := opened(t)
	in := s.everything()
	in.groups = []localapi.GroupLine{{Group: "aaaa", Name: "friends", Hub: carol, Members: 1}}
	for _, id := range []string{"one", "two", "three"} {
		name := "dave?"
		if id == "three" {
			name = "fred?"
		}
		in.talks.Talks = append(in.talks.Talks, localapi.Talk{ID: id, Name: name})
	}
	s.in(in)
	s.show(key{group: true, id: "aaaa"})
	for text, want := range map[string]string{"/invite fred?": "three", "/invite dave?": "dave?", "/invite nobody": "nobody", "/invite": ""} {
		s.send(text)
		if d := one[do](s); d.what != orderInvite || d.arg != want {
			t.Errorf("%s wants %+v", text, d)
		}
	}
	if s.row("1 member, hub carol") == "" {
		t.Error("its members are not counted")
	}
}

// How far a message has come is said as it is, in a talk and in a group.
func TestHowOursStand(t *testing.T) {
	t.Parallel()
	g := func(state localapi.GroupState, delivered, read int) *localapi.GroupSent {
		return &localapi.GroupSent{State: state, Delivered: delivered, Read: read, Members: 3}
	}
	for want, l := range map[string]line{
		"queued":              {state: localapi.Queued},
		"relayed":             {state: localapi.Relayed},
		"queued, 1 holder":    {state: localapi.Queued, holders: 1},
		"stored, 3 holders":   {state: localapi.Stored, holders: 3},
		"delivered":           {state: localapi.Delivered, holders: 3},
		"read":                {state: localapi.Read},
		"failed: too large":   {state: localapi.Failed, reason: "too large"},
		"in the log":          {sent: g(localapi.GroupAccepted, 0, 0)},
		"delivered to 2 of 3": {sent: g(localapi.GroupDelivered, 2, 0)},
		"delivered to all":    {sent: g(localapi.GroupAll, 3, 0)},
		"read by 2 of 3":      {sent: g(localapi.GroupAll, 3, 2)},
		"read by all":         {sent: g(localapi.GroupAll, 3, 3)},
		"refused: no member":  {sent: &localapi.GroupSent{State: localapi.GroupRefused, Reason: "no member"}},
	} {
		if got := l.stands(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
