package integration

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What stands at the top of the repository, and what may stand there besides:
// the history, and what the Makefile makes.
var (
	topLevel = []string{
		".ci", ".gitignore", "LICENSE", "Makefile", "README.md", "go.mod", "go.sum",
		"cmd", "groups", "integration", "node", "protocols", "relay",
	}
	besides = []string{".git", "bin", "dist"}
)

func TestTopLevelStaysAsItIs(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	missing := slices.Clone(topLevel)
	for _, e := range entries {
		if slices.Contains(besides, e.Name()) {
			continue
		}
		i := slices.Index(missing, e.Name())
		if i < 0 {
			t.Errorf("%s does not belong at the top: find it a place below, or put it into this list with a reason", e.Name())
			continue
		}
		missing = slices.Delete(missing, i, i+1)
	}
	for _, name := range missing {
		t.Errorf("%s is missing", name)
	}
}

// A test that sleeps by the wall clock waits too long or not long enough. In virtual
// time it lets time pass with integration/virtual, which refuses to do so elsewhere;
// for another process it waits with proc.Until, or on what it prints.
func TestNoTestSleeps(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "shape_test.go" {
			return err
		}
		source, err := os.ReadFile(path)
		if err == nil && bytes.Contains(source, []byte("time.Sleep(")) {
			t.Errorf("%s sleeps", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
