package kv_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/node/store/kv/kvtest"
)

// story writes ten synced batches of two rows each, enough to fill several
// memtables, and returns how many were confirmed.
func story(fs vfs.FS) (confirmed int, err error) {
	s, err := kv.Open("data", kv.Options{FS: fs, Memtable: 64 << 10, Patience: 50 * time.Millisecond})
	if err != nil {
		return 0, err
	}
	for i := range 10 {
		if err = s.Apply(chapter(i), true); err != nil {
			break
		}
		confirmed++
	}
	return confirmed, errors.Join(err, s.Close())
}

func chapter(i int) *kv.Batch {
	filler := string(make([]byte, 12<<10))
	return put(fmt.Sprintf("%d-a", i), filler, fmt.Sprintf("%d-b", i), filler)
}

// checkStory opens what a story left: every confirmed chapter is there, and
// none by half.
func checkStory(t *testing.T, fs vfs.FS, confirmed int) {
	t.Helper()
	s, err := kv.Open("data", kv.Options{FS: fs, Memtable: 64 << 10, Patience: 50 * time.Millisecond})
	if err != nil {
		t.Errorf("reopen after %d confirmed: %v", confirmed, err)
		return
	}
	got := contents(t, s)
	for i := range 10 {
		_, a := got[fmt.Sprintf("%d-a", i)]
		_, b := got[fmt.Sprintf("%d-b", i)]
		if a != b || i < confirmed && !a {
			t.Errorf("chapter %d of %d confirmed: %v, %v", i, confirmed, a, b)
		}
	}
	must(t, s.Close())
}

// TestEveryFailingOperation lets each write operation of a story fail in turn,
// once or from then on: nothing panics, nothing hangs, nothing confirmed is
// lost, and the error says that the disk is full.
func TestEveryFailingOperation(t *testing.T) {
	t.Parallel()
	for _, forGood := range []bool{true, false} {
		t.Run(fmt.Sprintf("for good %v", forGood), func(t *testing.T) {
			t.Parallel()
			for n := int64(0); ; n++ {
				mem := vfs.NewCrashableMem()
				f := failFrom(n, forGood)
				confirmed, err := story(errorfs.Wrap(mem, f))
				if f.count.Load() <= n {
					break // it ended before
				}
				if err != nil && confirmed < 10 && !errors.Is(err, kv.ErrDiskFull) {
					t.Errorf("operation %d failed: %v", n, err)
				}
				rng := rand.New(rand.NewPCG(uint64(n), 0))
				checkStory(t, mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rng}), confirmed)
			}
		})
	}
}

// TestCrashBeforeEverySync takes what a power failure leaves before each sync of
// a story: all that was confirmed by then is there, and no batch by half.
func TestCrashBeforeEverySync(t *testing.T) {
	t.Parallel()
	mem := kvtest.NewCrashable()
	type moment struct {
		fs        *vfs.MemFS
		confirmed int
	}
	var moments []moment
	rng := rand.New(rand.NewPCG(7, 7))
	w := &watcher{}
	w.hook = func() {
		for _, percent := range []int{0, 50, 100} {
			clone := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng})
			moments = append(moments, moment{clone, w.confirmed})
		}
	}
	s, err := kv.Open("data", kv.Options{FS: errorfs.Wrap(mem, w), Memtable: 64 << 10})
	must(t, err)
	for i := range 10 {
		must(t, s.Apply(chapter(i), true))
		w.confirm()
	}
	must(t, s.Close())
	if len(moments) < 30 {
		t.Fatalf("only %d moments", len(moments))
	}
	for _, m := range moments {
		checkStory(t, m.fs, m.confirmed)
	}
}

func TestReadErrorsAreReturned(t *testing.T) {
	t.Parallel()
	mem := vfs.NewCrashableMem()
	if confirmed, err := story(mem); confirmed != 10 || err != nil {
		t.Fatal(confirmed, err)
	}
	var failing atomic.Bool // the database reads in the background too
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if failing.Load() && (op.Kind == errorfs.OpFileReadAt || op.Kind == errorfs.OpFileRead || op.Kind == errorfs.OpOpen) {
			return syscall.EIO
		}
		return nil
	}))
	s, err := kv.Open("data", kv.Options{FS: fs})
	must(t, err)
	failing.Store(true)
	_, _, getErr := s.Get([]byte("0-a"))
	scanErr := s.Scan(nil, nil, func(_, _ []byte) (bool, error) { return true, nil })
	if !errors.Is(getErr, syscall.EIO) || !errors.Is(scanErr, syscall.EIO) {
		t.Errorf("get: %v, scan: %v", getErr, scanErr)
	}
	failing.Store(false)
	must(t, s.Close())
}
