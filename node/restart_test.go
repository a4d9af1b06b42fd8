package node_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/node/identity"
)

// session is one run of a node that the test ends itself.
type session struct {
	*node.Node
	stop func()
}

func run(t *testing.T, cfg node.Config) session {
	t.Helper()
	cfg.Local, cfg.NoRendezvous = true, true
	n, err := node.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return session{n, stop}
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func (s session) wait(t *testing.T, id node.MessageID, want node.State) node.Status {
	t.Helper()
	st, err := s.Wait(deadline(t), id, want)
	if err != nil || st.State != want {
		tr, _ := s.Trace(context.Background(), id)
		t.Fatalf("state %v (%s), want %v: %v\ntrace %+v", st.State, st.Reason, want, err, tr)
	}
	return st
}

func (s session) send(t *testing.T, to, text string) node.MessageID {
	t.Helper()
	id, err := s.Send(deadline(t), to, node.Text(text))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (s session) connect(t *testing.T, to session) {
	t.Helper()
	if _, err := s.Connect(deadline(t), to.Link()); err != nil {
		t.Fatal(err)
	}
}

func (s session) wantInbox(t *testing.T, texts ...string) []node.Received {
	t.Helper()
	rows, err := s.Inbox(node.Query{})
	if err != nil || len(rows) != len(texts) {
		t.Fatalf("inbox has %d rows, want %d: %v", len(rows), len(texts), err)
	}
	for i, text := range texts {
		if string(rows[i].Body) != text {
			t.Fatalf("row %d is %q, want %q", i, rows[i].Body, text)
		}
	}
	return rows
}

func TestAcceptedMessageOutlivesBothProcesses(t *testing.T) {
	t.Parallel()
	aliceDir, bobDir := t.TempDir(), t.TempDir()
	bob := run(t, node.Config{DataDir: bobDir})
	bobLink := bob.Link()
	alice := run(t, node.Config{DataDir: aliceDir})
	alice.wait(t, alice.send(t, bobLink, "one"), node.Delivered)
	bob.stop()

	id := alice.send(t, bobLink, "two")
	alice.stop()
	bob = run(t, node.Config{DataDir: bobDir})
	alice = run(t, node.Config{DataDir: aliceDir})
	alice.connect(t, bob)
	if st := alice.wait(t, id, node.Delivered); !st.ForwardSecret {
		t.Error("the prekeys learnt in the first run were forgotten")
	}
	bob.wantInbox(t, "one", "two")

	alice.stop()
	alice = run(t, node.Config{DataDir: aliceDir})
	if st, err := alice.Status(deadline(t), id); err != nil || st.State != node.Delivered {
		t.Fatalf("after a restart the state is %v, %v", st.State, err)
	}
}

func TestMessageToLostPrekeysIsSealedAnew(t *testing.T) {
	t.Parallel()
	bobDir := t.TempDir()
	bob, alice := run(t, node.Config{DataDir: bobDir}), run(t, node.Config{})
	link := bob.Link()
	alice.wait(t, alice.send(t, link, "one"), node.Delivered)
	bob.stop()
	id := alice.send(t, link, "two") // sealed to prekeys that are about to be lost
	if err := os.Remove(filepath.Join(bobDir, identity.VaultFile)); err != nil {
		t.Fatal(err)
	}
	bob = run(t, node.Config{DataDir: bobDir})
	alice.connect(t, bob)
	st := alice.wait(t, id, node.Delivered)
	tr, err := alice.Trace(deadline(t), id)
	if err != nil || tr.SupersededBy != st.ID || st.ID == id {
		t.Fatalf("trace %+v, status %+v, %v", tr, st, err)
	}
	rows, _ := bob.Inbox(node.Query{})
	if len(rows) == 0 || string(rows[len(rows)-1].Body) != "two" {
		t.Fatalf("inbox %+v", rows)
	}
}

func TestReadReceiptReachesAnAuthorWhoWasAway(t *testing.T) {
	t.Parallel()
	aliceDir := t.TempDir()
	bob, alice := run(t, node.Config{}), run(t, node.Config{DataDir: aliceDir})
	id := alice.send(t, bob.Link(), "one")
	alice.wait(t, id, node.Delivered)
	alice.stop()
	if err := bob.MarkRead(bob.wantInbox(t, "one")[0].Cursor); err != nil {
		t.Fatal(err)
	}
	alice = run(t, node.Config{DataDir: aliceDir})
	alice.connect(t, bob)
	alice.wait(t, id, node.Read)
}

func TestRecipientNeverMetIsReachedByItsKeyAlone(t *testing.T) {
	t.Parallel()
	alice := run(t, node.Config{})
	bobDir := t.TempDir()
	me, err := identity.Open(bobDir)
	if err != nil {
		t.Fatal(err)
	}
	id := alice.send(t, me.PeerID().String(), "hello") // nobody has heard of bob
	bob := run(t, node.Config{DataDir: bobDir})
	bob.connect(t, alice)
	alice.wait(t, id, node.Delivered)
	bob.wantInbox(t, "hello")
}

func TestDataDirectoryKeepsNamePortAndNetwork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := run(t, node.Config{DataDir: dir, Name: "alice", Network: "test"})
	link := first.Link()
	if _, err := node.New(node.Config{DataDir: dir, Local: true, Network: "test"}); err == nil {
		t.Error("a second node opened the directory")
	}
	first.stop()
	again := run(t, node.Config{DataDir: dir, Network: "test"})
	if again.Link() != link {
		t.Errorf("the link was %s and is %s", link, again.Link())
	}
	again.stop()
	if _, err := node.New(node.Config{DataDir: dir, Local: true}); err == nil {
		t.Error("a directory of one network was opened on another")
	}
}
