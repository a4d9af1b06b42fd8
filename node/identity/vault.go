package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"sync"
	"time"
)

// VaultFile is the usual name of the vault in the data directory.
const VaultFile = "vault"

// floorStep is how far the kept time floor may lag behind the time. It is less
// than the five minutes for which the ids of messages are remembered beyond
// their end, so that a node whose clock ran back over a restart does not take a
// message for new again.
const floorStep = 4 * time.Minute

var errClosed = fmt.Errorf("vault: %w", net.ErrClosed)

// Vault holds the secrets that have to die: the private halves of the prekeys
// and the shred keys; and the time floor, because a clock that ran backward
// would bring the dead back. It is safe for concurrent use. Whatever it hands
// out is synced before.
type Vault struct {
	me    *Identity
	path  string // "" keeps the vault in memory only
	clock func() time.Time

	writing sync.Mutex // held over a rewrite; taken before mu

	mu     sync.RWMutex
	held   *secrets // replaced with both locks held
	closed bool     // likewise
}

// OpenVault opens the vault at path, or makes one; with an empty path it lives
// in memory only. Before anything else it destroys, also on disk, what has died
// while nobody looked; then it makes the prekeys that are missing. now tells the
// time, and is not believed where it is behind the floor.
func OpenVault(path string, me *Identity, now func() time.Time) (*Vault, error) {
	held := &secrets{shreds: make(map[minute]*secret)}
	if path != "" {
		var err error
		if held, err = readVault(path); err != nil {
			return nil, err
		}
	}
	v := &Vault{me: me, path: path, clock: now, held: held}
	if err := v.settle(v.time()); err != nil {
		return nil, err
	}
	return v, nil
}

// settle brings what the file said up to date.
func (v *Vault) settle(now time.Time) error {
	next, expired := v.held.expired(now)
	next, destroyed, changed, err := next.rotated(now)
	if err != nil {
		return err
	}
	if !expired && !changed && destroyed == nil {
		return nil
	}
	return v.replace(next.touched(now))
}

// readVault reads the file at path, or returns an empty vault where there is
// none. It removes what a crash left of a rewrite.
func readVault(path string) (*secrets, error) {
	if err := removeIfThere(beside(path)); err != nil {
		return nil, unwritable(path, err)
	}
	b, err := readPrivate(path, int64(maxVault))
	if errors.Is(err, fs.ErrNotExist) {
		return &secrets{shreds: make(map[minute]*secret)}, nil
	}
	if err != nil {
		return nil, err
	}
	defer clear(b)
	s, err := decodeSecrets(b)
	switch {
	case errors.Is(err, errVaultVersion):
		return nil, &FileError{Path: path, Problem: "was written by a newer version of this program", Hint: "use that version", Err: err}
	case err != nil:
		return nil, &FileError{
			Path: path, Problem: "is damaged", Err: err,
			Hint: "move it away to go on with new keys; messages that are here cannot be read then, nor some on their way",
		}
	}
	return s, nil
}

// Close overwrites the secrets in memory. Everything but Close fails from then
// on with an error that matches net.ErrClosed.
func (v *Vault) Close() error {
	v.writing.Lock()
	defer v.writing.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held.wipe(&secrets{})
	v.held = &secrets{floor: v.held.floor}
	v.closed = true
	return nil
}

// Floor returns the time before which this node must not believe it to be, or
// the zero time for a new node.
func (v *Vault) Floor() time.Time {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.held.floor == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(v.held.floor))
}

// TouchTime keeps now as the floor, if it is four minutes or more beyond the one
// that is kept; otherwise it costs nothing. Do not call it with a time that is
// in doubt: there is no way back from it.
func (v *Vault) TouchTime(now time.Time) error {
	if now.Sub(v.Floor()) < floorStep {
		return nil
	}
	v.writing.Lock()
	defer v.writing.Unlock()
	if v.closed {
		return errClosed
	}
	return v.replace(v.held.clone().touched(now))
}

// time returns the later of the clock's time and the floor.
func (v *Vault) time() time.Time {
	now, floor := v.clock(), v.Floor()
	if now.Before(floor) {
		return floor
	}
	return now
}

// replace makes next what the vault holds: on disk first, then for readers;
// then it overwrites what next no longer has. The caller holds writing.
func (v *Vault) replace(next *secrets) error {
	if v.path != "" {
		b := next.encode()
		err := replacePrivate(v.path, b)
		clear(b)
		if err != nil {
			return err
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held.wipe(next)
	v.held = next
	return nil
}

func (s *secrets) clone() *secrets {
	c := *s
	c.shreds = maps.Clone(s.shreds)
	return &c
}

// touched raises the floor of a clone to now.
func (s *secrets) touched(now time.Time) *secrets {
	s.floor = max(s.floor, uint64(max(0, now.UnixMilli())))
	return s
}
