package identity

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/libp2p/go-libp2p/core/crypto"
)

// KeyFile is the name of the key file in the data directory.
const KeyFile = "identity.key"

// maxKeyFile bounds what is read of a key file; libp2p's form has 68 bytes.
const maxKeyFile = 4 << 10

// Open loads the identity kept in directory dir, and makes directory (0700) and
// key (0600) where there is none. Two processes that open a fresh directory at
// once get the same identity. Its errors are [*FileError].
func Open(dir string) (*Identity, error) {
	me, err := load(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return me, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &FileError{Path: dir, Problem: "cannot be made", Hint: "choose another data directory", Err: err}
	}
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	if err := store(dir, key); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return load(dir)
}

// load reads the key file in dir. The error matches fs.ErrNotExist if there is
// none.
func load(dir string) (*Identity, error) {
	path := filepath.Join(dir, KeyFile)
	b, err := readPrivate(path, maxKeyFile)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	key, err := crypto.UnmarshalPrivateKey(b)
	if err != nil {
		return nil, damagedKey(path, err)
	}
	me, err := newIdentity(key)
	if err != nil {
		return nil, damagedKey(path, err)
	}
	return me, nil
}

func damagedKey(path string, err error) error {
	return &FileError{
		Path: path, Problem: "is not a key of this program, or damaged", Err: err,
		Hint: "restore it from an export, or move it away to start with a new identity",
	}
}

// store writes the key file in dir, and fails with fs.ErrExist if there is one.
func store(dir string, key crypto.PrivKey) error {
	b, err := crypto.MarshalPrivateKey(key)
	if err != nil {
		return fmt.Errorf("marshal key: %w", err)
	}
	defer clear(b)
	return createPrivate(filepath.Join(dir, KeyFile), b)
}
