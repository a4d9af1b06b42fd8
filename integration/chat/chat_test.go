//go:build linux

package chat

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

// TestTwoPeopleAndAGroup is an evening: two talk with each other and in a group
// whose hub dies, and one's daemon dies too and comes back.
func TestTwoPeopleAndAGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice, bob, carol := w.Start("alice"), w.Start("bob"), w.Start("carol")
	w.acquaint(alice, bob)
	w.acquaint(alice, carol)
	w.acquaint(bob, carol)
	w.befriend(carol, alice, bob)

	a := w.open("alice", nil, "bob")
	a.golden("a-begin", "write to bob", "* bob", "carol", "# friends")
	a.types("hello bob, are you there?")
	a.keys("Enter")
	a.golden("a-delivered", "there?", "delivered")

	b := w.open("bob", nil)
	b.shows("alice")
	b.keys("M-u") // what is unread
	b.golden("b-read", "hello bob")
	a.golden("a-read", "read")

	b.pastes("two lines,\nof which the second is here")
	b.types("!")
	b.keys("Home")
	b.types("> ")
	b.keys("Enter")
	a.golden("a-answer", "two lines,", "> of which the second is here!")
	b.golden("b-answer", "two lines,", "read")

	a.keys("F4")
	a.golden("a-way", "way of a message to bob", "receipt")
	a.keys("F1")
	a.golden("a-help", "/invite")
	a.keys("F1")

	inAGroup(t, w, a, b, carol)
	a.keys("Tab") // behind the last comes the first
	a.shows("write to bob")
	daemonGoes(t, w, a, alice, bob)

	a.types("/quit")
	a.keys("Enter")
	a.golden("a-end", "exit 0")
}

// inAGroup is what the two say in the group, before and after its hub dies.
func inAGroup(t *testing.T, w *world, a, b *pane, carol *proc.Daemon) {
	t.Helper()
	a.click(5, 4) // the third of the list
	b.keys("BTab")
	b.shows("write to # friends")
	a.shows("write to # friends")
	a.types("hello, all of you")
	a.keys("Enter")
	a.golden("group-a", "read by 1 of 2", "hub carol")
	b.golden("group-b", "hello, all of you")
	carol.Kill()
	a.golden("group-a-failover", "is hub from now on", "read by 1 of 2")
	b.golden("group-b-failover", "is hub from now on")
	both := a.run("capture-pane", "-p", "-t", "alice") + a.run("capture-pane", "-p", "-t", "bob")
	if strings.Count(both, takesOver) != 1 {
		t.Errorf("not one of the two takes over:\n%s", both)
	}
	b.types("carol has gone, and we go on")
	b.keys("Enter")
	a.golden("group-a-after", "we go on")
	b.golden("group-b-after", "read by 1 of 2")
	a.keys("F3")
	a.shows("MEMBER", "carol", "away", "hub", "alice (you)")
	a.keys("F3")
	a.types("/invite")
	a.keys("Enter")
	a.shows("tom:join/", "for a QR code the window must have")
	a.keys("F2")
	a.shows("your link", "tom:peer/", "█ ▄▄▄▄▄ █")
	a.keys("F2")
}

// daemonGoes is what alice sees of her daemon's death: what she writes meanwhile
// is sent once, and what bob writes is not missed.
func daemonGoes(t *testing.T, w *world, a *pane, alice, bob *proc.Daemon) {
	t.Helper()
	alice.Kill()
	a.shows("daemon away since hh:mm")
	a.types("written while it was away")
	a.keys("Enter")
	a.types("not sent yet")
	a.golden("a-away", "waits for the daemon", "not sent yet")
	evil := "\x1b[2J\x1b]0;pwned\aall\rgone \u202eneddih"
	_, err := bob.Client.Send(t.Context(), localapi.Outgoing{To: alice.ID, Content: localapi.NewContent("text/plain", []byte(evil))})
	w.Check(err)
	alice, err = alice.Again(t.Context())
	w.Check(err)
	a.golden("a-back", "written while it was away", "not sent yet", "gone")
	if title := a.run("display-message", "-p", "-t", a.name, "#{pane_title}"); strings.Contains(title, "pwned") {
		t.Errorf("the title is %q", title)
	}
	page, err := bob.Client.Talk(t.Context(), alice.ID, 0, 0)
	w.Check(err)
	count := 0
	for _, x := range page.Words {
		if x.Received != nil && x.Received.Body == "written while it was away" {
			count++
		}
	}
	if count != 1 {
		t.Errorf("bob got it %d times", count)
	}
	a.keys("C-u")
}

var colour = regexp.MustCompile(`\x1b\[[0-9;]*[39][0-7]m`)

func TestTerminalsWithoutColoursOrCursor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice, bob := w.Start("alice"), w.Start("bob")
	w.acquaint(alice, bob)
	_, err := bob.Client.Send(t.Context(), localapi.Outgoing{To: alice.ID, Content: localapi.NewContent("text/plain", []byte("hello"))})
	w.Check(err)

	coloured := w.open("alice", nil)
	coloured.shows("hello", "online")
	if s := coloured.run("capture-pane", "-p", "-e", "-t", "alice"); !colour.MatchString(s) {
		t.Errorf("no colours:\n%q", s)
	}
	coloured.run("kill-session", "-t", "alice")
	plain := w.open("alice", []string{"NO_COLOR=yes"})
	plain.golden("no-colour", "hello", "online")
	if s := plain.run("capture-pane", "-p", "-e", "-t", "alice"); colour.MatchString(s) || !strings.Contains(s, ";7m") {
		t.Errorf("colours, or nothing that marks the open talk:\n%q", s)
	}
	plain.run("kill-session", "-t", "alice")
	dumb := w.open("alice", []string{"TERM=dumb"})
	dumb.shows("TERM=dumb", "cannot move its cursor", "exit 2")
	out, err := alice.Run(t.Context(), "chat")
	w.Check(err)
	if out.Code != 2 || !strings.Contains(out.Err, "needs a terminal") {
		t.Errorf("without a terminal: %+v", out)
	}
}
