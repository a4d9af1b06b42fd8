package away

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/integration/proc/proctest"
	"github.com/tom-protocol/tom/node/localapi"
)

func TestMain(m *testing.M) { os.Exit(proctest.Main(m)) }

// town is a machine on which some daemons run.
type town struct {
	*proctest.Machine
	ctx context.Context
}

func newTown(t *testing.T, patience time.Duration) *town {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return &town{proctest.New(t), ctx}
}

// until wants something to become true.
func (w *town) until(what string, patience time.Duration, true func() bool) time.Duration {
	w.T.Helper()
	took, err := proc.Until(w.ctx, patience, func() string {
		if true() {
			return ""
		}
		return what
	})
	if err != nil {
		w.T.Fatal(err)
	}
	return took
}

// send has one write to another and returns the id once the state is reached.
func (w *town) send(from *proc.Daemon, to, text string, state localapi.State) string {
	w.T.Helper()
	accepted, err := from.Client.Send(w.ctx, localapi.Outgoing{To: to, Content: localapi.NewContent("", []byte(text))})
	if err != nil {
		w.T.Fatal(err)
	}
	m, err := from.Client.Wait(w.ctx, accepted.ID, state, 30*time.Second)
	if err != nil || !m.State.Reached(state) {
		trace, _ := from.Client.Trace(w.ctx, accepted.ID)
		w.T.Fatalf("%q is %s, not %s: %v; %+v", text, m.State, state, err, trace)
	}
	return accepted.ID
}

// accept has one write n messages to another, and returns their ids as soon as
// they are accepted.
func (w *town) accept(from *proc.Daemon, to, text string, n int) (ids []string) {
	w.T.Helper()
	for i := range n {
		body := fmt.Appendf(nil, "%s %d", text, i)
		accepted, err := from.Client.Send(w.ctx, localapi.Outgoing{To: to, Content: localapi.NewContent("", body)})
		if err != nil {
			w.T.Fatal(err)
		}
		ids = append(ids, accepted.ID)
	}
	return ids
}

// inbox is what is in an inbox, by text.
func (w *town) inbox(d *proc.Daemon) map[string][]localapi.Received {
	w.T.Helper()
	all := make(map[string][]localapi.Received)
	for page, err := range d.Client.Inbox(w.ctx, localapi.InboxQuery{Limit: localapi.MaxPage}) {
		if err != nil {
			w.T.Fatal(err)
		}
		for _, m := range page.Messages {
			all[m.Body] = append(all[m.Body], m)
		}
	}
	return all
}

func (w *town) mailbox(d *proc.Daemon) localapi.Mailbox {
	w.T.Helper()
	m, err := d.Client.Mailbox(w.ctx)
	if err != nil {
		w.T.Fatal(err)
	}
	return m
}

// TestTheSenderIsGone: a message reaches its recipient although its sender and
// one of its holders are gone for good when the recipient comes back.
func TestTheSenderIsGone(t *testing.T) {
	w := newTown(t, 2*time.Minute)
	var keepers []*proc.Daemon
	for i := range 4 {
		keepers = append(keepers, w.Start(fmt.Sprintf("keeper%d", i)))
	}
	alice, bob := w.Start("alice"), w.Start("bob", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1")
	w.send(alice, bob.Link, "before", localapi.Delivered)
	w.until("everybody knows everybody", 30*time.Second, func() bool {
		for _, d := range append([]*proc.Daemon{alice, bob}, keepers...) {
			if s, err := d.Client.Status(w.ctx); err != nil || s.Peers < 5 {
				return false
			}
		}
		return true
	})
	bob.Kill()

	id := w.send(alice, bob.ID, "while you were away", localapi.Stored)
	trace, err := alice.Client.Trace(w.ctx, id)
	if err != nil || len(trace.Holders) != 3 {
		t.Fatalf("holders: %+v, %v", trace, err)
	}
	for _, h := range trace.Holders {
		if !h.Live || h.Until.IsZero() || h.ID == alice.ID || h.ID == bob.ID {
			t.Errorf("holder %+v", h)
		}
	}
	alice.Kill()
	for i, d := range keepers {
		if d.ID == trace.Holders[0].ID {
			d.Kill()
			keepers = append(keepers[:i:i], keepers[i+1:]...)
			break
		}
	}

	bob = w.Start("bob", "--listen", "/ip4/127.0.0.2/udp/0/quic-v1") // on another address
	w.until("bob has the message", 5*time.Second, func() bool { return len(w.inbox(bob)["while you were away"]) > 0 })
	took := time.Since(bob.Started)
	t.Logf("received %v after the process was started, its socket answered after %v", took.Round(time.Millisecond), bob.Ready.Round(time.Millisecond))
	if took > 5*time.Second {
		t.Errorf("received after %v", took)
	}
	w.until("nobody keeps it any more", 30*time.Second, func() bool {
		for _, d := range keepers {
			if m := w.mailbox(d); m.Messages > 1 { // the receipt for alice may be there
				return false
			}
		}
		return true
	})
	got := w.inbox(bob)["while you were away"]
	if len(got) != 1 || got[0].From != alice.ID || got[0].ID != id {
		t.Errorf("received %+v", got)
	}

	again, err := alice.Again(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	m, err := again.Client.Wait(w.ctx, id, localapi.Delivered, 20*time.Second)
	if err != nil || m.State != localapi.Delivered {
		t.Errorf("alice learns %+v, %v", m, err)
	}
	if got := w.inbox(bob)["while you were away"]; len(got) != 1 {
		t.Errorf("it is there %d times", len(got))
	}
	w.toldToForget(again, bob)
}

// toldToForget has a message delivered by holders, and wants its trace to tell
// who they were, and that they know.
func (w *town) toldToForget(alice, bob *proc.Daemon) {
	w.T.Helper()
	bob.Kill()
	id := w.send(alice, bob.ID, "and again", localapi.Stored)
	if _, err := bob.Again(w.ctx); err != nil {
		w.T.Fatal(err)
	}
	if m, err := alice.Client.Wait(w.ctx, id, localapi.Delivered, 20*time.Second); err != nil || m.State != localapi.Delivered {
		w.T.Fatalf("alice learns %+v, %v", m, err)
	}
	w.until("all holders are told to forget it", 10*time.Second, func() bool {
		out, err := alice.Output(w.ctx, "trace", id)
		return err == nil && strings.Contains(out, "was held by") && strings.Count(out, "told to forget it: yes") == 3
	})
}
