// Package kv keeps ordered byte rows on disk, or in memory for tests and
// models. Both kinds promise the same, and one conformance suite holds them to
// it: a batch is applied whole or not at all, batches reach the disk in the
// order in which they were applied, and what a synced Apply returned from is
// there after a crash, together with everything applied before it.
package kv

import "errors"

// Store is a sorted map of byte strings. All methods are safe for concurrent
// use. What Get and Scan return reflects every Apply that returned before.
type Store interface {
	// Get returns a copy of the value under key; ok is false if there is none.
	Get(key []byte) (value []byte, ok bool, err error)

	// Scan calls fn for every row with from <= key < to in ascending order,
	// until fn returns more == false or an error, which Scan passes on. An empty
	// to means no upper bound. Scan sees the rows as they were when it began;
	// key and value are fn's only until it returns. fn may call Get and Apply.
	Scan(from, to []byte, fn func(key, value []byte) (more bool, err error)) error

	// Apply makes the changes of b, in their order, visible at once. With sync
	// it returns only when they, and all applied before, would survive a power
	// failure. After an error nothing of b is visible unless the error matches
	// ErrFailed, in which case b may or may not be there after reopening. b
	// still belongs to the caller.
	Apply(b *Batch, sync bool) error

	// Size returns the bytes the store takes on disk, or in memory.
	Size() int64

	// Close syncs what was applied and releases the directory. Every later call
	// returns an error matching net.ErrClosed.
	Close() error
}

// What callers compare. The errors that match them carry the directory and say
// what to do about it.
var (
	// ErrLocked means that another process has the directory open.
	ErrLocked = errors.New("data directory in use")
	// ErrDiskFull means that there is no room for the batch. Unless the error
	// matches ErrFailed too, nothing happened, and the batch may be tried again.
	ErrDiskFull = errors.New("disk full")
	// ErrCorrupt means that files in the directory are damaged or missing.
	ErrCorrupt = errors.New("database damaged")
	// ErrNewer means that a newer version wrote the directory.
	ErrNewer = errors.New("database of a newer version")
	// ErrFailed means that a write failed half-way: this Store refuses all
	// further writes; what was synced is intact and there after reopening.
	ErrFailed = errors.New("database stopped after a failed write")
)
