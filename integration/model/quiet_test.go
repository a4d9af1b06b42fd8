package model_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

// holds fails the test if the world broke an invariant.
func holds(t *testing.T, w *model.World) {
	t.Helper()
	for _, b := range w.Broken {
		t.Error(b)
	}
	if t.Failed() && len(w.Trace) > 0 {
		t.Log("\n" + strings.Join(w.Trace, "\n"))
	}
}

func TestAQuietGroupAgrees(t *testing.T) {
	t.Parallel()
	w := model.New(model.Options{Nodes: 5, Seed: 1, Bytes: true, Trace: true})
	for i := range 20 {
		w.Run(500 * time.Millisecond)
		w.Write(w.Nodes[i%5])
	}
	w.Agree(10 * time.Second)
	if len(w.Accepted) != 20 || w.Claims > 0 {
		t.Errorf("%d accepted, %d claims", len(w.Accepted), w.Claims)
	}
	holds(t, w)
	t.Log("\n" + strings.Join(w.Trace, "\n"))
}
