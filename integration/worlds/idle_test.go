package worlds

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node"
)

func TestMessageAfterTenSilentMinutesTakesUnderASecond(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		alice, bob := w.start(1, node.Config{Name: "alice"}), w.start(2, node.Config{Name: "bob"})
		alice.send(t, bob.Link(), "first")
		virtual.Pass(10 * time.Minute) // virtual

		begun := time.Now()
		st := alice.send(t, bob.Link(), "after the silence")
		if took := time.Since(begun); took > time.Second {
			t.Errorf("delivered after %v", took)
		}
		if !st.ForwardSecret {
			t.Error("not forward secret")
		}
		begun = time.Now()
		bob.send(t, alice.Link(), "and back")
		if took := time.Since(begun); took > time.Second {
			t.Errorf("the answer was delivered after %v", took)
		}
	})
}
