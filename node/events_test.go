package node_test

import (
	"context"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node"
)

// presenceOf waits until the events of n, which has one friend, say that p is in
// a state.
func presenceOf(t *testing.T, n *node.Node, p node.Peer, state node.Presence) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := n.Events(ctx, 0, func(e node.Event) error {
		switch {
		case e.Kind != node.PeerChanged:
		case e.Peer != p:
			t.Error("an event about a stranger")
		case e.Presence == state:
			cancel()
		}
		return ctx.Err()
	})
	if ctx.Err() != context.Canceled {
		t.Fatalf("no event says that the peer is %v: %v", state, err)
	}
}

func TestContactThatComesAndGoesIsAnEvent(t *testing.T) {
	t.Parallel()
	alice := start(t, node.Config{Name: "alice"})
	bob, err := node.New(node.Config{Name: "bob", Local: true, NoRendezvous: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- bob.Run(ctx) }()
	stranger := start(t, node.Config{Name: "carol"})

	if c, err := alice.AddContact(bob.Link(), "bob"); err != nil || c.Presence != node.Offline || !c.Seen.IsZero() {
		t.Fatalf("%+v, %v", c, err)
	}
	for _, link := range []string{stranger.Link(), bob.Link()} {
		if _, err := alice.Connect(t.Context(), link); err != nil {
			t.Fatal(err)
		}
	}
	presenceOf(t, alice, bob.Key(), node.Online)
	if c := alice.Contacts()[0]; c.Presence != node.Online {
		t.Errorf("the contact is %v", c.Presence)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	presenceOf(t, alice, bob.Key(), node.Stale)
	if c := alice.Contacts()[0]; c.Presence != node.Stale || time.Since(c.Seen) > time.Minute {
		t.Errorf("the contact is %v, seen %v", c.Presence, c.Seen)
	}
}

func TestWhoIsWrittenToIsAStrangerNoMore(t *testing.T) {
	t.Parallel()
	alice, bob := start(t, node.Config{Name: "alice"}), start(t, node.Config{Name: "bob"})
	if _, err := alice.Connect(t.Context(), bob.Link()); err != nil {
		t.Fatal(err)
	}
	if _, err := alice.Send(t.Context(), bob.Link(), node.Text("hello")); err != nil {
		t.Fatal(err)
	}
	presenceOf(t, alice, bob.Key(), node.Online)
}
