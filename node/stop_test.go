package node_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/node/identity"
)

// What waits for something that can no longer come returns when the node stops,
// though its own context goes on.
func TestNothingWaitsForANodeThatHasStopped(t *testing.T) {
	t.Parallel()
	nobody, err := identity.New()
	if err != nil {
		t.Fatal(err)
	}
	n, to := run(t, node.Config{OutboxLimit: 1 << 20}), nobody.PeerID().String()
	big := node.Message{Type: "application/octet-stream", Body: make([]byte, 200<<10)}
	id := n.send(t, to, "hello")
	for full := false; !full; {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := n.Send(ctx, to, big)
		cancel()
		if full = errors.Is(err, node.ErrBusy); err != nil && !full {
			t.Fatal(err)
		}
	}

	ctx := context.Background()
	calls := map[string]func() error{
		"send":   func() error { _, err := n.Send(ctx, to, big); return err },
		"wait":   func() error { _, err := n.Wait(ctx, id, node.Delivered); return err },
		"status": func() error { _, err := n.Status(ctx, id); return err },
		"events": func() error { return n.Events(ctx, 0, func(node.Event) error { return nil }) },
	}
	ends := make(chan error, 2*len(calls))
	begin := func(names ...string) {
		for _, name := range names {
			go func() {
				err := calls[name]()
				if name == "status" && err == nil {
					err = node.ErrStopped // asked early enough
				}
				ends <- err
			}()
		}
	}
	begin("send", "wait", "status", "events")
	n.stop()
	begin("send", "wait", "status")
	late := time.After(time.Minute)
	for range 7 {
		select {
		case err := <-ends:
			if !errors.Is(err, node.ErrStopped) && !errors.Is(err, net.ErrClosed) {
				t.Errorf("ended with %v", err)
			}
		case <-late:
			t.Fatal("something waits for ever")
		}
	}
}

func TestCloseEndsRun(t *testing.T) {
	t.Parallel()
	n, err := node.New(node.Config{Local: true, NoRendezvous: true, DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- n.Run(context.Background()) }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := n.Info(ctx); err != nil { // which waits for Run
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Error("it runs on")
	}
}
