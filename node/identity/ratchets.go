package identity

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"sync"
)

// maxRatchets bounds a file of states: a thousand members' chains, each with as
// many keys for late messages as there may be.
const maxRatchets = 64 << 20

// Ratchets keeps the states of chains of keys, each set in a file of its own that
// is rewritten whole, so that what is left behind is gone from there. It is safe
// for concurrent use of different names.
type Ratchets struct {
	dir string // "": in memory only

	mu   sync.Mutex
	held map[string][]byte
}

// OpenRatchets keeps the states in files in dir, or in memory if it is empty.
func OpenRatchets(dir string) *Ratchets {
	return &Ratchets{dir: dir, held: make(map[string][]byte)}
}

func (r *Ratchets) path(name string) string { return filepath.Join(r.dir, "ratchet-"+name) }

// Load returns what was saved under a name, nil if nothing was.
func (r *Ratchets) Load(name string) ([]byte, error) {
	if r.dir == "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		return bytes.Clone(r.held[name]), nil
	}
	if err := removeIfThere(beside(r.path(name))); err != nil {
		return nil, unwritable(r.path(name), err)
	}
	b, err := readPrivate(r.path(name), maxRatchets)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// Save replaces what is under a name; it is synced when Save returns.
func (r *Ratchets) Save(name string, b []byte) error {
	if r.dir != "" {
		return replacePrivate(r.path(name), b)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.held[name])
	r.held[name] = bytes.Clone(b)
	return nil
}

// Remove destroys what is under a name.
func (r *Ratchets) Remove(name string) error {
	if r.dir != "" {
		return removeIfThere(r.path(name))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.held[name])
	delete(r.held, name)
	return nil
}
