package identity

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/libp2p/go-libp2p/core/crypto"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// An export is a PEM block of this type. Its bytes are
//
//	version (1) ‖ salt (16) ‖ nonce (24) ‖ XChaCha20-Poly1305(key file)
//
// The key comes from the passphrase by Argon2id with RFC 9106's second
// recommended parameters (64 MiB, 3 passes, 4 lanes), which the version fixes so
// that a file from elsewhere cannot ask for more. The peer ID stands in front
// in clear, to be read by people, and is authenticated.
const (
	exportType    = "TOM IDENTITY"
	exportPeer    = "Peer"
	exportVersion = 1
	saltLen       = 16
	sealedAt      = 1 + saltLen + chacha20poly1305.NonceSizeX
)

var (
	// ErrPassphrase says that an export does not open: the passphrase is another,
	// or the file was altered.
	ErrPassphrase = errors.New("wrong passphrase, or the export is damaged")
	// ErrNoPassphrase says that an empty passphrase was given.
	ErrNoPassphrase = errors.New("the passphrase is empty")
	// ErrNotExport says that the bytes are no identity export of a known version.
	ErrNotExport = errors.New("not an identity export of this program, or one of a newer version")
)

// Export returns the identity in dir sealed under a passphrase, as text. Only
// the key is exported: one identity is one device, and prekeys never travel.
func Export(dir, passphrase string) ([]byte, error) {
	if passphrase == "" {
		return nil, ErrNoPassphrase
	}
	me, err := load(dir)
	if err != nil {
		return nil, err
	}
	secret, err := crypto.MarshalPrivateKey(me.host)
	if err != nil {
		return nil, fmt.Errorf("marshal key: %w", err)
	}
	defer clear(secret)
	id := me.PeerID().String()
	blob := make([]byte, sealedAt, sealedAt+len(secret)+chacha20poly1305.Overhead)
	rand.Read(blob) // never fails
	blob[0] = exportVersion
	aead, err := exportAEAD(passphrase, blob)
	if err != nil {
		return nil, err
	}
	blob = aead.Seal(blob, blob[1+saltLen:sealedAt], secret, []byte(id))
	return pem.EncodeToMemory(&pem.Block{Type: exportType, Headers: map[string]string{exportPeer: id}, Bytes: blob}), nil
}

// Import makes the identity of an export the one in dir. It refuses, with
// fs.ErrExist, where there is a key already. The device the export came from
// must stay off from then on: two that share a key destroy each other's
// messages.
func Import(dir, passphrase string, blob []byte) error {
	if _, err := load(dir); !errors.Is(err, fs.ErrNotExist) {
		return &FileError{Path: dir, Problem: "has an identity already", Hint: "choose a fresh data directory", Err: fs.ErrExist}
	}
	me, err := openExport(passphrase, blob)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &FileError{Path: dir, Problem: "cannot be made", Hint: "choose another data directory", Err: err}
	}
	return store(dir, me.host)
}

func openExport(passphrase string, text []byte) (*Identity, error) {
	block, _ := pem.Decode(bytes.TrimSpace(text))
	if block == nil || block.Type != exportType {
		return nil, ErrNotExport
	}
	blob := block.Bytes
	if len(blob) < sealedAt || len(blob) > maxKeyFile || blob[0] != exportVersion {
		return nil, ErrNotExport
	}
	aead, err := exportAEAD(passphrase, blob)
	if err != nil {
		return nil, err
	}
	id := block.Headers[exportPeer]
	secret, err := aead.Open(nil, blob[1+saltLen:sealedAt], blob[sealedAt:], []byte(id))
	if err != nil {
		return nil, ErrPassphrase
	}
	defer clear(secret)
	key, err := crypto.UnmarshalPrivateKey(secret)
	if err != nil {
		return nil, errors.Join(ErrNotExport, err)
	}
	return newIdentity(key)
}

// exportAEAD derives the cipher of an export from its passphrase and its salt.
func exportAEAD(passphrase string, blob []byte) (cipher.AEAD, error) {
	key := argon2.IDKey([]byte(passphrase), blob[1:1+saltLen], 3, 64<<10, 4, chacha20poly1305.KeySize)
	defer clear(key)
	return chacha20poly1305.NewX(key)
}
