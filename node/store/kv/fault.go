package kv

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// fault collects what goes wrong inside the database. Pebble ends the process
// when its log cannot be written; a library must not, so its fatal errors are
// remembered here and every later Apply is refused with the first of them.
type fault struct {
	mu  sync.Mutex
	err error // guarded by mu; the first one
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

// listener returns the events that end writing. A failed flush is no such
// event: Pebble tries it again, and its rows are safe in the log meanwhile.
func (f *fault) listener() *pebble.EventListener {
	l := &pebble.EventListener{
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			f.set(fmt.Errorf("%w: %s: %w", ErrCorrupt, i.Path, i.Details))
		},
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
