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
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
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
