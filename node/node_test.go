package node_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/node"
)

// start runs a node on loopback until the test ends.
func start(t *testing.T, cfg node.Config) *node.Node {
	t.Helper()
	cfg.Local, cfg.NoRendezvous = true, true
	n, err := node.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return n
}

func TestMessageIsDeliveredAndRead(t *testing.T) {
	t.Parallel()
	alice, bob := start(t, node.Config{Name: "alice"}), start(t, node.Config{Name: "bob", DataDir: t.TempDir()})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	id, err := alice.Send(ctx, bob.Link(), node.Text("hello"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := alice.Wait(ctx, id, node.Delivered)
	if err != nil || st.State != node.Delivered {
		tr, _ := alice.Trace(ctx, id)
		t.Fatalf("state %v, %v; trace %+v", st.State, err, tr)
	}
	if !st.ForwardSecret {
		t.Error("sealed to the identity key, though the recipient was there")
	}
	if tr, err := alice.Trace(ctx, id); err != nil || sent(tr) != 1 {
		t.Errorf("sent %d times, not once: %+v, %v", sent(tr), tr.Attempts, err)
	}
	inbox, err := bob.Inbox(node.Query{})
	if err != nil || len(inbox) != 1 || string(inbox[0].Body) != "hello" || inbox[0].From != alice.Key() {
		t.Fatalf("inbox %+v, %v", inbox, err)
	}
	if inbox[0].Name != "alice?" || !inbox[0].Stranger {
		t.Errorf("a claimed name is shown as %q, stranger %v", inbox[0].Name, inbox[0].Stranger)
	}
	if err := bob.MarkRead(inbox[0].Cursor); err != nil {
		t.Fatal(err)
	}
	if st, err = alice.Wait(ctx, id, node.Read); err != nil || st.State != node.Read {
		t.Fatalf("state %v, %v", st.State, err)
	}
}

func TestTalkShowsBothSidesWithHowOursStand(t *testing.T) {
	t.Parallel()
	alice, bob := start(t, node.Config{Name: "alice"}), start(t, node.Config{Name: "bob"})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	say := func(from, to *node.Node, text string, keep bool) {
		m := node.Text(text)
		m.Keep = keep
		id, err := from.Send(ctx, to.Link(), m)
		if err != nil {
			t.Fatal(err)
		}
		if st, err := from.Wait(ctx, id, node.Delivered); err != nil || st.State != node.Delivered {
			t.Fatalf("state %v, %v", st.State, err)
		}
	}
	say(alice, bob, "one", true)
	say(bob, alice, "two", true)
	say(alice, bob, "not to be kept", false)
	say(alice, bob, "three", true)
	list, next, more, err := alice.Talk(ctx, bob.Key(), 0, 2)
	if err != nil || len(list) != 2 || !more || next != list[0].Cursor {
		t.Fatalf("talk %+v, %v, %v", list, more, err)
	}
	if r := list[0].Received; r == nil || string(r.Body) != "two" || r.Name != "bob?" {
		t.Errorf("received %+v", r)
	}
	if own := list[1].Sent; own == nil || string(own.Body) != "three" || own.State != node.Delivered || own.Type != node.TextType {
		t.Errorf("sent %+v", own)
	}
	if list, _, more, err = alice.Talk(ctx, bob.Key(), next, 2); err != nil || more || len(list) != 1 || string(list[0].Sent.Body) != "one" {
		t.Errorf("the page before %+v, %v, %v", list, more, err)
	}
	if talks, _, err := alice.Talks(); err != nil || len(talks) != 1 || talks[0].With != bob.Key() || talks[0].Unread != 1 || talks[0].Stranger {
		t.Errorf("talks %+v, %v", talks, err)
	}
}

func TestTwoNodesDoNotShareARegistryAndNoneRunsTwice(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	n := start(t, node.Config{Registry: registry})
	if other, err := node.New(node.Config{Registry: registry, Local: true}); !errors.Is(err, node.ErrRegistry) {
		t.Errorf("a second node with the same registry: %v", err)
		other.Close()
	}
	if _, err := n.Info(t.Context()); err != nil { // it runs
		t.Fatal(err)
	}
	if err := n.Run(t.Context()); !errors.Is(err, node.ErrRan) {
		t.Errorf("a second run: %v", err)
	}
}

// sent is how often a message went out.
func sent(tr node.Trace) (n int) {
	for _, a := range tr.Attempts {
		if a.Path != "dial" {
			n++
		}
	}
	return n
}
