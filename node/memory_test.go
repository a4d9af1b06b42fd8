package node_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node"
)

// What is saved is memory, not messages: also the largest gets through.
func TestNodesWithLowMemoryTalk(t *testing.T) {
	t.Parallel()
	alice := start(t, node.Config{LowMemory: true, DataDir: t.TempDir()})
	bob := start(t, node.Config{LowMemory: true, DataDir: t.TempDir()})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, size := range []int{1, 200 << 10} {
		id, err := alice.Send(ctx, bob.Link(), node.Text(strings.Repeat("x", size)))
		if err != nil {
			t.Fatal(err)
		}
		if st, err := alice.Wait(ctx, id, node.Delivered); err != nil || st.State != node.Delivered {
			t.Fatalf("%d bytes: %v, %v", size, st.State, err)
		}
	}
	for n, want := range map[*node.Node]bool{alice: true, start(t, node.Config{}): false} {
		if s, err := n.API().Status(ctx); err != nil || s.LowMemory != want {
			t.Errorf("status says low memory %v, %v; want %v", s.LowMemory, err, want)
		}
	}
}
