package identity

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io/fs"
	"strings"
	"testing"
)

func TestExportComesBack(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), t.TempDir()
	me := open(t, from)
	blob, err := Export(from, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(blob), me.PeerID().String()) {
		t.Error("the export does not say whose it is")
	}
	if err := Import(to, "battery staple", blob); !errors.Is(err, ErrPassphrase) {
		t.Errorf("another passphrase: %v", err)
	}
	if err := Import(to, "correct horse", append([]byte("from a mail\n\n"), blob...)); err != nil {
		t.Fatal(err)
	}
	if got := open(t, to).Public(); got != me.Public() {
		t.Errorf("%v came back as %v", me.Public(), got)
	}
}

func TestImportNeverReplacesAKey(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), t.TempDir()
	open(t, from)
	blob, err := Export(from, "p")
	if err != nil {
		t.Fatal(err)
	}
	before := open(t, to).Public()
	if err := Import(to, "p", blob); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v; want one that matches fs.ErrExist", err)
	}
	if open(t, to).Public() != before {
		t.Error("the key was replaced")
	}
}

func TestExportNeedsAKeyAndAPassphrase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Export(dir, "p"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no key: %v", err)
	}
	if names := list(t, dir); len(names) != 0 {
		t.Errorf("exporting made %v", names)
	}
	if _, err := Export(dir, ""); !errors.Is(err, ErrNoPassphrase) {
		t.Errorf("no passphrase: %v", err)
	}
}

func TestAlteredExportsAreRefused(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	open(t, from)
	blob, err := Export(from, "p")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(blob)
	alter := func(change func(*pem.Block)) []byte {
		b := &pem.Block{Type: block.Type, Headers: map[string]string{exportPeer: block.Headers[exportPeer]}, Bytes: bytes.Clone(block.Bytes)}
		change(b)
		return pem.EncodeToMemory(b)
	}
	cases := map[string][]byte{
		"nothing":      nil,
		"text":         []byte("hello"),
		"cut":          blob[:len(blob)/2],
		"other type":   alter(func(b *pem.Block) { b.Type = "PRIVATE KEY" }),
		"newer":        alter(func(b *pem.Block) { b.Bytes[0]++ }),
		"short":        alter(func(b *pem.Block) { b.Bytes = b.Bytes[:sealedAt-1] }),
		"long":         alter(func(b *pem.Block) { b.Bytes = append(b.Bytes, make([]byte, maxKeyFile)...) }),
		"another peer": alter(func(b *pem.Block) { b.Headers[exportPeer] = "12D3KooW" }),
		"ciphertext":   alter(func(b *pem.Block) { b.Bytes[sealedAt] ^= 1 }),
	}
	for name, b := range cases {
		if err := Import(t.TempDir(), "p", b); !errors.Is(err, ErrPassphrase) && !errors.Is(err, ErrNotExport) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
