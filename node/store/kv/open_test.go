package kv_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/tom-protocol/tom/node/store/kv"
)

func openDir(t testing.TB, dir string) kv.Store {
	t.Helper()
	s, err := kv.Open(dir, kv.Options{})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestMain lets the test binary be the second process of a test.
func TestMain(m *testing.M) {
	if dir := os.Getenv("KV_TEST_HOLD"); dir != "" {
		hold(dir)
		return
	}
	os.Exit(m.Run())
}

// hold keeps a store open until its standard input ends.
func hold(dir string) {
	s, err := kv.Open(dir, kv.Options{})
	if err != nil {
		os.Exit(1)
	}
	os.Stdout.WriteString("open\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = s.Close()
}

func TestSecondOpenIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openDir(t, dir)
	if _, err := kv.Open(dir, kv.Options{}); !errors.Is(err, kv.ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second open in one process: %v", err)
	}
	must(t, s.Close())
	must(t, openDir(t, dir).Close())
}

func TestSecondProcessIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "KV_TEST_HOLD="+dir)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	if _, err := io.ReadFull(out, make([]byte, len("open\n"))); err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Open(dir, kv.Options{}); !errors.Is(err, kv.ErrLocked) {
		t.Errorf("open beside another process: %v", err)
	}
	must(t, in.Close())
	must(t, cmd.Wait())
	openDir(t, dir)
}

func TestNewerFormatIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, openDir(t, dir).Close())
	markers, err := filepath.Glob(filepath.Join(dir, "marker.format-version.*"))
	must(t, err)
	must(t, os.Rename(markers[0], filepath.Join(dir, "marker.format-version.000999.999")))
	if _, err := kv.Open(dir, kv.Options{}); !errors.Is(err, kv.ErrNewer) {
		t.Errorf("open of a newer format: %v", err)
	}
}

func TestDamageIsNamed(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, dir string){
		"manifest gone":  func(t *testing.T, dir string) { each(t, dir, "MANIFEST-*", os.Remove) },
		"manifest wrong": func(t *testing.T, dir string) { each(t, dir, "MANIFEST-*", scribble) },
		"table gone":     func(t *testing.T, dir string) { each(t, dir, "*.sst", os.Remove) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := openDir(t, dir)
			must(t, s.Apply(put("a", "1"), true))
			must(t, s.Close())
			must(t, openDir(t, dir).Close()) // moves the row from the log into a table
			damage(t, dir)
			if _, err := kv.Open(dir, kv.Options{}); !errors.Is(err, kv.ErrCorrupt) {
				t.Errorf("open: %v", err)
			}
		})
	}
}

func TestDamagedTableIsNamedWhenRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openDir(t, dir)
	must(t, s.Apply(put("a", strings.Repeat("x", 10000)), true))
	must(t, s.Close())
	must(t, openDir(t, dir).Close())
	each(t, dir, "*.sst", scribble)
	s, err := kv.Open(dir, kv.Options{})
	if err == nil {
		_, _, err = s.Get([]byte("a"))
		_ = s.Close()
	}
	if !errors.Is(err, kv.ErrCorrupt) {
		t.Errorf("read: %v", err)
	}
}

func each(t *testing.T, dir, pattern string, do func(string) error) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	must(t, err)
	if len(files) == 0 {
		t.Fatalf("no %s in %s", pattern, dir)
	}
	for _, f := range files {
		must(t, do(f))
	}
}

// scribble overwrites a few bytes near the beginning of a file.
func scribble(name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	for i := 8; i < len(b) && i < 64; i++ {
		b[i] ^= 0x5a
	}
	return os.WriteFile(name, b, 0o600)
}

func TestUnwritableDirectoryIsNamed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := kv.Open(filepath.Join(file, "data"), kv.Options{}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("open below a file: %v", err)
	}
}

// TestOpenWaitsForTheDiskAFewTimes keeps the start of a daemon quick: what it costs
// to open a small database is that the disk is waited for. BenchmarkOpen says how
// long that takes.
func TestOpenWaitsForTheDiskAFewTimes(t *testing.T) {
	t.Parallel()
	fs, counted := vfs.NewMem(), &watcher{hook: func() {}}
	open := func() kv.Store {
		s, err := kv.Open("data", kv.Options{FS: errorfs.Wrap(fs, counted)})
		must(t, err)
		return s
	}
	s := open()
	hundred(t, s)
	must(t, s.Close())
	for _, most := range []int{8, 6} { // the first moves the rows from the log into a table
		syncs := 0
		counted.set(func() { syncs++ })
		s := open()
		counted.set(func() {})
		must(t, s.Close())
		if syncs == 0 || syncs > most {
			t.Errorf("opening it waited for the disk %d times, want %d at most", syncs, most)
		}
	}
}

// hundred writes a hundred rows.
func hundred(t testing.TB, s kv.Store) {
	t.Helper()
	for i := range 100 {
		must(t, s.Apply(put(strings.Repeat("k", i+1), "value"), false))
	}
}
