package kv_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/store/kv"
)

// needs ends a test that cannot run here: not run for a user, a failure in CI,
// where everything is to be there.
func needs(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("needs %s: %v", what, err)
	}
	t.Skipf("not run: needs %s: %v", what, err)
}

func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	needs(t, "root, to mount a tmpfs", syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size))
	t.Cleanup(func() { must(t, syscall.Unmount(dir, 0)) })
	return dir
}

// fill takes all free space of a disk and returns how to give it back.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	must(t, err)
	for chunk := make([]byte, 64<<10); err == nil; {
		_, err = f.Write(chunk)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	must(t, f.Close())
	return func() { must(t, os.Remove(name)) }
}

// TestFullDiskPasses: with the reserve, a disk that is full is a condition that
// passes: writes are refused, deletes and reads go on, and when there is space
// again so is everything else.
func TestFullDiskPasses(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "32m")
	s, err := kv.Open(filepath.Join(dir, "data"), kv.Options{Reserve: 4 << 20, Memtable: 512 << 10})
	must(t, err)
	var ballast int
	for ; err == nil; ballast++ {
		err = s.Apply(put(fmt.Sprintf("%06d", ballast), string(make([]byte, 64<<10))), true)
	}
	if !errors.Is(err, kv.ErrDiskFull) || errors.Is(err, kv.ErrFailed) {
		t.Fatalf("full disk: %v", err)
	}
	var b kv.Batch
	b.DeleteRange([]byte("0"), []byte("1"))
	must(t, s.Apply(&b, true))
	// The rows leave the disk with the next compactions; meanwhile there may be
	// no room, but never a failure.
	for i := 0; ; i++ {
		if err = s.Apply(put("again", "1"), true); err == nil {
			break
		}
		if !errors.Is(err, kv.ErrDiskFull) || errors.Is(err, kv.ErrFailed) {
			t.Fatalf("after deleting: %v", err)
		}
		b.Reset()
		b.Delete([]byte("x"))
		must(t, s.Apply(&b, true))
		if i > 20000 {
			t.Fatal("the disk stays full")
		}
	}
	must(t, s.Close())
}

// TestDiskFilledByOthers: somebody else takes the last byte. Nothing confirmed
// is lost, the error says what to do, and nothing hangs or panics.
func TestDiskFilledByOthers(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "16m")
	data := filepath.Join(dir, "data")
	s, err := kv.Open(data, kv.Options{Reserve: -1, Memtable: 512 << 10, Patience: 500 * time.Millisecond})
	must(t, err)
	must(t, s.Apply(put("first", "1"), true))
	free := fill(t, dir)
	confirmed := 0
	for err == nil {
		if err = s.Apply(put(fmt.Sprintf("%06d", confirmed), string(make([]byte, 64<<10))), true); err == nil {
			confirmed++
		}
	}
	if !errors.Is(err, kv.ErrDiskFull) {
		t.Errorf("full disk: %v", err)
	}
	_ = s.Close()
	if _, err := kv.Open(data, kv.Options{Patience: 500 * time.Millisecond}); err != nil && !errors.Is(err, kv.ErrDiskFull) {
		t.Errorf("open on a full disk: %v", err)
	}
	free()
	s = openDir(t, data)
	got := contents(t, s)
	if got["first"] != "1" || len(got) < confirmed+1 {
		t.Errorf("%d rows of %d confirmed", len(got), confirmed+1)
	}
	must(t, s.Close())
}
