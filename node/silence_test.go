package node_test

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/node"
)

// inSilence marks the process that TestLibraryPrintsNothing starts.
const inSilence = "TOM_TEST_IN_SILENCE"

// A library that prints, or that leaves something in the globals of the
// program that uses it, is no library. A whole life of two nodes on disk, with
// mDNS and listeners on all interfaces of a namespace-less host left out, runs
// in a process of its own, so that everything it writes is seen.
func TestLibraryPrintsNothing(t *testing.T) {
	t.Parallel()
	if os.Getenv(inSilence) != "" {
		liveOnce(t)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLibraryPrintsNothing$", "-test.count=1")
	cmd.Env = append(os.Environ(), inSilence+"=1", "GOLOG_LOG_LEVEL=")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
	}
	if errs.Len() > 0 {
		t.Errorf("standard error: %s", errs.String())
	}
	if out.String() != "PASS\n" {
		t.Errorf("standard output: %s", out.String())
	}
}

func liveOnce(t *testing.T) {
	writer, handler := log.Writer(), slog.Default().Handler()
	metrics, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	bobDir := t.TempDir()
	alice, bob := run(t, node.Config{DataDir: t.TempDir()}), run(t, node.Config{DataDir: bobDir})
	alice.wait(t, alice.send(t, bob.Link(), "hello"), node.Delivered)
	if _, err := alice.Connect(ctx, "/ip4/127.0.0.1/tcp/9/p2p/"+bob.ID()); err != nil {
		t.Log(err) // an address where nobody is must print nothing either
	}
	bob.stop()
	alice.send(t, bob.Link(), "are you there")
	alice.stop()
	if err := os.WriteFile(bobDir+"/db/CURRENT", []byte("garbage"), 0o600); err == nil {
		if n, err := node.New(node.Config{DataDir: bobDir, Local: true}); err == nil {
			n.Close()
		}
	}

	after, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if len(after) != len(metrics) {
		t.Errorf("the global metrics registry grew from %d to %d families", len(metrics), len(after))
	}
	if log.Writer() != writer || slog.Default().Handler() != handler {
		t.Error("a global logger was replaced")
	}
}
