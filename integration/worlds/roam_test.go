package worlds

import (
	"context"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node"
)

// A node that moved has something to say: whoever waits for it needs no help.
func TestNodeThatMovedAndWritesIsReached(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		defer cancel()
		dir := t.TempDir()
		alice, bob := w.start(1, node.Config{Name: "alice"}), w.start(2, node.Config{Name: "bob", DataDir: dir})
		alice.send(t, bob.Link(), "first")
		if _, err := bob.AddContact(alice.Link(), ""); err != nil {
			t.Fatal(err)
		}
		w.cut(2) // nobody hears bob leave
		bob.stop()
		waiting, err := alice.SendTo(ctx, bob.Key(), node.Text("for bob, wherever he is"))
		if err != nil {
			t.Fatal(err)
		}
		virtual.Pass(time.Hour)

		bob = w.start(3, node.Config{Name: "bob", DataDir: dir})
		begun := time.Now()
		bob.send(t, "alice", "I moved")
		alice.wait(t, ctx, waiting)
		if took := time.Since(begun); took > time.Second {
			t.Errorf("it took %v", took)
		}
		alice.send(t, bob.Link(), "and on")
	})
}

// A node comes back at an address nobody knows, and says nothing.
func TestNodeThatMovedIsReachedWithoutAnyonesHelp(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		dir := t.TempDir()
		alice, bob := w.start(1, node.Config{Name: "alice"}), w.start(2, node.Config{Name: "bob", DataDir: dir})
		alice.send(t, bob.Link(), "first")
		virtual.Pass(time.Minute)
		w.cut(2)
		bob.stop()
		waiting, err := alice.SendTo(ctx, bob.Key(), node.Text("for bob, wherever he is"))
		if err != nil {
			t.Fatal(err)
		}
		virtual.Pass(5 * time.Minute)

		begun := time.Now()
		w.start(3, node.Config{Name: "bob", DataDir: dir})
		alice.wait(t, ctx, waiting)
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
