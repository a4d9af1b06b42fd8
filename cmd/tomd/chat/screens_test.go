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

func own(id, text string, state localapi.State, holders int) localapi.Words {
	return localapi.Words{Sent: &localapi.Own{
		Message: localapi.Message{ID: id, To: bob, State: state, Holders: holders, Created: localapi.At(noon), End: localapi.At(noon.Add(24 * time.Hour))},
		Content: localapi.NewContent("text/plain", []byte(text)), Cursor: 5,
	}}
}

func TestATalkOnTheScreen(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.in(page{key: one[loadPage](s).key, newest: true})
	s.press("tab")
	s.golden("talk-empty")
	s.press("alt+up")
	if s.open.id != bob {
		t.Fatalf("open %v", s.open)
	}
	s.in(page{key: key{id: bob}, words: []localapi.Words{
		own("1", "on its way", localapi.Queued, 0),
		own("2", "kept by one so far", localapi.Sent, 1),
		own("3", "kept by three", localapi.Stored, 3),
		own("4", "he has it", localapi.Delivered, 0),
		own("5", strings.Repeat("a long text that needs several rows ", 4)+"\nand has\n\ttwo lines more", localapi.Read, 0),
		own("6", "refused", localapi.Failed, 0),
	}})
	s.hear(bob, "bob", "hello, here is an emoji 🙂 and 日本語 in the middle of a line that is long enough to be wrapped at the end")
	s.hear(carol, "carol", "not shown")
	s.hear(eve, "eve?", "nor this")
	s.write("what I am writing")
	s.golden("talk")
	s.in(tea.WindowSizeMsg{Width: 50, Height: 14})
	s.golden("talk-narrow")
	s.in(tea.WindowSizeMsg{Width: 30, Height: 1})
	if got, _, _ := s.view(); len(got) != 1 || !strings.HasPrefix(got[0], "at least 40×10") {
		t.Errorf("tiny: %q", got)
	}
}

func TestAGroupOnTheScreen(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.press("alt+u", "alt+u")
	if !s.open.group {
		t.Fatalf("open %v", s.open)
	}
	k := s.open
	take[askAbout](s)
	s.in(about{key: k, group: localapi.Group{Group: friends, Members: []localapi.GroupMember{{ID: carol, Name: "carol"}}}})
	record := func(seq uint64, kind, from, name, text, mark string) localapi.GroupRecord {
		return localapi.GroupRecord{
			Group: friends, Seq: seq, Cursor: seq, ID: fmt.Sprint("r", seq), Kind: kind, From: from, Name: name,
			Content: localapi.NewContent("text/plain", []byte(text)), Created: localapi.At(noon), Mark: mark,
		}
	}
	s.in(page{key: k, newest: true, records: []localapi.GroupRecord{
		record(1, "join", carol, "carol", "", "effective"), record(2, "join", me, "alice", "", "effective"),
		record(3, "message", carol, "carol", "hello, all", "effective"), record(4, "message", me, "alice", "hello, carol", "effective"),
		record(5, "message", bob, "bob", "", "waiting"), record(6, "kick", carol, "carol", "dave", "effective"),
		record(7, "message", eve, "eve", "I was no member", "void"), record(8, "rename", carol, "carol", "old friends", "effective"),
	}})
	s.in(standing{key: k, id: "r4", group: &localapi.GroupSent{State: localapi.GroupDelivered, Delivered: 1, Members: 2}})
	s.event(localapi.Event{Kind: localapi.EventGroup, Group: &localapi.GroupEvent{Group: friends, Name: "friends", What: localapi.GroupHub, Peer: bob, PeerName: "bob", Term: 2}})
	s.golden("group")
	if m := one[markRead](s); m.seq != 7 || m.key != k {
		t.Errorf("marked %+v", m)
	}
	if l := one[loadLog](s); l.since != 8 {
		t.Errorf("asks for the log behind %d", l.since)
	}
	s.press("f3")
	if a := take[askAbout](s); len(a) == 0 || a[len(a)-1].key != k {
		t.Errorf("asks about %v", a)
	}
	s.in(about{key: k, group: localapi.Group{
		Group: friends, Name: "friends", Term: 2, Seq: 8, Hub: bob, Shadow: me,
		Members: []localapi.GroupMember{
			{ID: carol, Name: "carol", Role: "admin", AckedSeq: 5, ReadSeq: 3},
			{ID: bob, Name: "bob", Role: "member", Online: true, AckedSeq: 8, ReadSeq: 8},
			{ID: me, Name: "alice", Role: "member", Online: true, AckedSeq: 8, ReadSeq: 8},
		},
	}})
	s.golden("group-about")
	s.press("f4")
	s.in(traced{
		key: k, id: one[askTrace](s).id, sent: localapi.GroupSent{State: localapi.GroupDelivered, Delivered: 1, Members: 2, Seq: 4, Term: 1, Replicas: 3},
		group: localapi.Group{Group: friends, Members: []localapi.GroupMember{{ID: carol, Name: "carol", AckedSeq: 3}, {ID: bob, Name: "bob", AckedSeq: 8, ReadSeq: 8}, {ID: me}}},
	})
	s.golden("group-trace")
}

func TestOtherScreens(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.press("f1")
	s.golden("help")
	s.press("f2")
	s.golden("link")
	s.in(tea.WindowSizeMsg{Width: 80, Height: 20})
	s.golden("link-low")
	s.in(tea.WindowSizeMsg{Width: 80, Height: 24})
	s.press("c")
	if c := one[copyText](s); c.text != s.me.Link {
		t.Errorf("copied %q", c.text)
	}
	s.press("esc", "f3")
	s.in(about{key: key{id: bob}, contact: s.everything().contacts[0], peer: &localapi.Peer{ID: bob, Path: "relayed", Via: carol, Transport: "quic", RTTMS: 81.5}})
	s.golden("about")
	s.press("f3", "f4")
	if !strings.Contains(s.notice, "no message of yours") {
		t.Errorf("nothing to trace: %q", s.notice)
	}
	s.pages()
	s.in(page{key: key{id: bob}, words: []localapi.Words{own("1", "first", localapi.Delivered, 0), own("2", "second", localapi.Stored, 2)}})
	s.press("f4")
	if a := one[askTrace](s); a.id != "2" {
		t.Errorf("traces %+v", a)
	}
	s.in(traced{key: key{id: bob}, id: "2", trace: localapi.Trace{
		ID: "2", To: bob, State: localapi.Stored, Next: localapi.At(noon.Add(time.Minute)),
		Attempts: []localapi.Attempt{
			{At: localapi.At(noon), Path: "dial", Result: "no address answers"},
			{At: localapi.At(noon), Path: "relays", Via: []string{carol, eve}, Transport: "quic", Result: ""},
		},
		Holders: []localapi.Holder{{ID: carol, Until: localapi.At(noon.Add(time.Hour)), Live: true}, {ID: eve, Until: localapi.At(noon.Add(time.Hour))}},
	}})
	s.golden("trace")
	s.press("up")
	if a := one[askTrace](s); a.id != "1" {
		t.Errorf("traces %+v", a)
	}
	s.in(traced{key: key{id: bob}, id: "1", err: errors.New("no such\x1b[2J message")})
	if r := s.row("no such"); !strings.Contains(r, "no such�[2J message") {
		t.Errorf("%q", r)
	}
}

func TestTheDaemonIsAway(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.pages()
	s.in(away{&localapi.NoDaemonError{}})
	s.write("written meanwhile")
	s.press("enter")
	s.write("and this is not sent")
	s.golden("away")
	none[say](s)
	s.in(s.everything())
	if d := one[say](s); d.text != "written meanwhile" || d.id != bob {
		t.Errorf("said %+v", d)
	}
	if s.talks[s.open].text.text != "and this is not sent" {
		t.Error("the text is gone")
	}
	s.in(away{localapi.Errorf(localapi.CodeBusy, "64 programs wait for events already")})
	if r := s.row("refuses"); !strings.Contains(r, "64 programs") {
		t.Errorf("%q", r)
	}
}
