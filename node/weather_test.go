package node_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node"
)

func TestChaosIsRefusedWhereOthersMeet(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"", "main"} {
		if _, err := node.New(node.Config{Local: true, Network: network, Chaos: "loss=1%"}); !errors.Is(err, node.ErrChaosOnMain) {
			t.Errorf("on %q: %v", network, err)
		}
	}
	if _, err := node.New(node.Config{Local: true, Network: "test", Chaos: "loss"}); err == nil || !strings.Contains(err.Error(), "chaos: ") {
		t.Errorf("nonsense: %v", err)
	}
}

// A node that holds back all it says and hears still ends when it is told to.
func TestANodeInBadWeatherTalksAndStops(t *testing.T) {
	t.Parallel()
	alice := start(t, node.Config{Network: "test", Chaos: "delay=30ms,kill-stream=20/s"})
	bob := start(t, node.Config{Network: "test"})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	id, err := alice.Send(ctx, bob.Link(), node.Text("hello"))
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if st, err := alice.Wait(ctx, id, node.Delivered); err != nil || st.State != node.Delivered {
		t.Fatalf("%v, %v", st.State, err)
	}
	if took := time.Since(begun); took < 60*time.Millisecond { // there and back
		t.Errorf("delivered after %v, before anything can have come back", took)
	}
	if s, err := alice.API().Status(ctx); err != nil || s.Chaos == "" || !strings.Contains(strings.Join(s.Notices, " "), "CHAOS") {
		t.Errorf("status: %+v, %v", s, err)
	}
}
