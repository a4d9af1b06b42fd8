package kv_test

import (
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// failer fails the write operation number first, or all from it on.
type failer struct {
	first   int64
	forGood bool
	count   atomic.Int64
}

func failFrom(first int64, forGood bool) *failer { return &failer{first: first, forGood: forGood} }

func (f *failer) String() string { return "failer" }

// MaybeError implements errorfs.Injector.
func (f *failer) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() != errorfs.OpIsWrite || op.Kind == errorfs.OpFileClose {
		return nil
	}
	n := f.count.Add(1) - 1
	if n == f.first || f.forGood && n > f.first {
		return syscall.ENOSPC
	}
	return nil
}

// watcher calls hook before every sync.
type watcher struct {
	mu        sync.Mutex
	confirmed int
	hook      func()
}

func (w *watcher) String() string { return "watcher" }

func (w *watcher) confirm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.confirmed++
}

// set has another hook called.
func (w *watcher) set(hook func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hook = hook
}

// MaybeError implements errorfs.Injector.
func (w *watcher) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		w.mu.Lock()
		defer w.mu.Unlock()
		w.hook()
	}
	return nil
}
