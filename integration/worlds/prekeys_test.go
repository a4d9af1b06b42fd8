package worlds

import (
	"context"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node"
)

// Alice has never met bob, and knows his id only. He is away; but he left his
// prekeys with others, and comes back somewhere else.
func TestFirstMessageToSomebodyAwayIsForwardSecret(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		hub := w.start(1, node.Config{Name: "hub"})
		cfg := node.Config{Name: "bob", DataDir: t.TempDir(), Bootstrap: []string{hub.Link()}}
		bob := w.start(2, cfg)
		virtual.Pass(time.Minute)
		id := bob.ID()
		bob.stop()
		alice := w.start(3, node.Config{Name: "alice", Bootstrap: []string{hub.Link()}})
		virtual.Pass(10 * time.Second)

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		sent, err := alice.Send(ctx, id, node.Text("hello, whoever you are"))
		if err != nil {
			t.Fatal(err)
		}
		virtual.Pass(time.Minute)
		bob = w.start(4, cfg)
		if st := alice.wait(t, ctx, sent); !st.ForwardSecret {
			t.Error("sealed to the identity key, though the DHT holds prekeys")
		}
	})
}
