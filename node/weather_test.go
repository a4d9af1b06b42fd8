package node_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/protocols/delivery"
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

// What is held back comes late, and comes. Nothing is killed meanwhile: how long
// a message needs that loses its stream is for chance to say.
func TestANodeInBadWeatherTalks(t *testing.T) {
	t.Parallel()
	alice := start(t, node.Config{Network: "test", Chaos: "delay=30ms"})
	bob := start(t, node.Config{Network: "test"})
	ctx := deadline(t)
	begun := time.Now()
	id, err := alice.Send(ctx, bob.Link(), node.Text("hello"))
	if err != nil {
		t.Fatal(err)
	}
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

// A node that holds back all it says and hears, or whose streams die under its
// hands, still ends when it is told to, in the middle of a message.
func TestANodeInBadWeatherStops(t *testing.T) {
	t.Parallel()
	const delay = 10 * time.Second // no answer comes while the test looks on
	for chaos, result := range map[string]string{
		"delay=10s":                   "", // whatever came of it
		"delay=10s,kill-stream=100/s": "stream lost",
	} {
		t.Run(chaos, func(t *testing.T) {
			t.Parallel()
			alice := run(t, node.Config{Network: "test", Chaos: chaos})
			bob := start(t, node.Config{Network: "test"})
			id := alice.send(t, bob.Link(), "hello")
			wait(t, "the message is on its way, and its stream "+result, func() bool {
				tr, err := alice.Trace(t.Context(), id)
				return err == nil && slices.ContainsFunc(tr.Attempts, func(a delivery.Attempt) bool {
					return a.Path == "direct" && strings.HasPrefix(a.Result, result)
				})
			})
			begun := time.Now()
			alice.stop()
			if took := time.Since(begun); took >= delay {
				t.Errorf("stopped after %v: it waited for what it holds back", took)
			}
		})
	}
}
