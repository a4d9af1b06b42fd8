package kv

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// fault remembers what went wrong inside the database and prints nothing. The
// first fault ends all writing: every later Apply is refused with it.
type fault struct {
	mu    sync.Mutex
	err   error // guarded by mu; the first one
	table error // guarded by mu; why a table could not be written since the newest flush began
	flush error // guarded by mu; why the newest flush failed, nil if it did not
}

// Infof implements pebble.Logger and prints nothing.
func (f *fault) Infof(string, ...any) {}

// Errorf implements pebble.Logger and prints nothing: what matters of it comes
// as an event too.
func (f *fault) Errorf(string, ...any) {}

// Fatalf implements pebble.Logger. Unlike others it returns.
func (f *fault) Fatalf(format string, args ...any) {
	cause := fmt.Errorf(format, args...)
	for _, a := range args {
		if err, ok := a.(error); ok {
			cause = err
		}
	}
	f.set(cause)
}

func (f *fault) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *fault) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// tableFailed remembers why a table could not be written.
func (f *fault) tableFailed(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.table = err
}

// flushed remembers how a flush of rows from the log into a table ended. One
// that had nothing to write counts as failed with Pebble, not with us.
func (f *fault) flushed(ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.flush = nil; !ok {
		f.flush = f.table
	}
}

// flushing returns why rows cannot be flushed at the moment. They are safe in
// the log meanwhile, and Pebble tries it again.
func (f *fault) flushing() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.flush
}

// listener returns what to do at the events that matter.
func (f *fault) listener() *pebble.EventListener {
	l := &pebble.EventListener{
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			f.set(fmt.Errorf("%w: %s: %w", ErrCorrupt, i.Path, i.Details))
		},
		FlushBegin: func(pebble.FlushInfo) { f.tableFailed(nil) },
		FlushEnd:   func(i pebble.FlushInfo) { f.flushed(i.Err == nil) },
		BackgroundError: func(err error) {
			if pebble.IsCorruptionError(err) {
				f.set(err)
			}
		},
	}
	l.EnsureDefaults(f)
	return l
}

func isFailed(err error) bool { return errors.Is(err, ErrFailed) }

// explain turns an error of the database into a sentence that says what to do.
func explain(dir string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, ErrDiskFull):
		return fmt.Errorf("%w: free some space on the disk of %s", ErrDiskFull, dir)
	case pebble.IsCorruptionError(err), errors.Is(err, ErrCorrupt):
		return fmt.Errorf("%w: restore %s from a copy, or move it away and keep identity.key: %w", ErrCorrupt, dir, err)
	}
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("database: %w; make %s readable and writable for this user", err, dir)
	}
	return fmt.Errorf("database in %s: %w", dir, err)
}

// broken explains the error that ended all writing.
func broken(dir string, err error) error {
	return fmt.Errorf("%w: %w; then restart", ErrFailed, explain(dir, err))
}
