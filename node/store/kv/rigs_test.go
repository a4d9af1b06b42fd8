package kv_test

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/tom-protocol/tom/node/store/kv"
)

// memoryRig holds the twin.
type memoryRig struct {
	store *kv.MemoryStore
}

func (r *memoryRig) open(t testing.TB) kv.Store {
	r.store = kv.Memory()
	t.Cleanup(func() { _ = r.store.Close() })
	return r.store
}

func (r *memoryRig) crash(t testing.TB, rng *rand.Rand) kv.Store {
	r.store = r.store.Crash(rng.IntN(10))
	return r.store
}

func (r *memoryRig) fail() {
	r.store.SetFault(func(*kv.Batch, bool) error { return fmt.Errorf("%w: %w", kv.ErrFailed, kv.ErrDiskFull) })
}

func (r *memoryRig) mend() { r.store.SetFault(nil) }

// pebbleRig holds the real thing on a file system in memory that forgets in a
// crash what was not synced, in random parts.
type pebbleRig struct {
	mem     *vfs.MemFS
	failing atomic.Bool
	store   kv.Store
}

func newPebbleRig() *pebbleRig { return &pebbleRig{mem: vfs.NewCrashableMem()} }

func (r *pebbleRig) open(t testing.TB) kv.Store {
	t.Helper()
	s, err := kv.Open("data", kv.Options{FS: r.fs(), Memtable: 256 << 10})
	must(t, err)
	r.store = s
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (r *pebbleRig) fs() vfs.FS {
	return errorfs.Wrap(r.mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if r.failing.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return syscall.ENOSPC
		}
		return nil
	}))
}

func (r *pebbleRig) crash(t testing.TB, rng *rand.Rand) kv.Store {
	t.Helper()
	old := r.store
	r.mem = r.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	_ = old.Close()
	return r.open(t)
}

func (r *pebbleRig) fail() { r.failing.Store(true) }
func (r *pebbleRig) mend() { r.failing.Store(false) }
