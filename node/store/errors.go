package store

import "errors"

// What callers compare. Errors of the disk come from package kv.
var (
	// ErrFull means that a bound of the store is reached.
	ErrFull = errors.New("the store is full")
	// ErrNotFound means that there is no such row, or no longer.
	ErrNotFound = errors.New("not found")
	// ErrGap means that events after the given cursor are no longer kept, or
	// that the cursor is not one of this store: the reader has to begin with the
	// current state.
	ErrGap = errors.New("events are missing")
	// ErrNewer means that a newer version of this program wrote the store.
	ErrNewer = errors.New("the data directory was written by a newer version: install that version again")
)
