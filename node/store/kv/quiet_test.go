package kv_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// TestNothingIsPrinted runs a story, and one whose disk fails, in a process of
// its own and looks at what it prints.
func TestNothingIsPrinted(t *testing.T) {
	t.Parallel()
	if os.Getenv("KV_TEST_STORY") != "" {
		_, _ = story(vfs.NewCrashableMem())
		for n := int64(0); n < 60; n += 7 {
			_, _ = story(errorfs.Wrap(vfs.NewCrashableMem(), failFrom(n, true)))
		}
		os.Exit(0)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestNothingIsPrinted$")
	cmd.Env = append(os.Environ(), "KV_TEST_STORY=1")
	out, err := cmd.CombinedOutput()
	must(t, err)
	if len(out) > 0 {
		t.Errorf("printed: %s", out)
	}
}
