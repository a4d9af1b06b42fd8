package identity

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/protocols"
)

func open(t testing.TB, dir string) *Identity {
	t.Helper()
	me, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return me
}

func TestIdentityStaysTheSame(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "at", "need")
	first := open(t, dir)
	if again := open(t, dir); again.Public() != first.Public() {
		t.Errorf("%v became %v", first.PeerID(), again.PeerID())
	}
	id, err := peer.IDFromPrivateKey(first.Host())
	if err != nil || id != first.PeerID() {
		t.Errorf("libp2p calls it %v, %v; we %v", id, err, first.PeerID())
	}
	if runtime.GOOS == "windows" {
		return
	}
	for path, want := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, KeyFile): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v; want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

func TestManyOpenAFreshDirectoryAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys := make([]protocols.Key, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			if me, err := Open(dir); err == nil {
				keys[i] = me.Public()
			}
		})
	}
	wg.Wait()
	want := open(t, dir).Public()
	for i, k := range keys {
		if k != want {
			t.Errorf("opener %d got %v, the file holds %v", i, k, want)
		}
	}
	if names := list(t, dir); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func list(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestBadKeyFilesAreRefusedWithAHint(t *testing.T) {
	t.Parallel()
	good := marshalled(t)
	cases := []struct {
		name  string
		bytes []byte
		mode  fs.FileMode
		want  string
	}{
		{"empty", nil, 0o600, "damaged"},
		{"noise", []byte("not a key"), 0o600, "damaged"},
		{"truncated", good[:len(good)-1], 0o600, "damaged"},
		{"public half changed", flipped(good, len(good)-1), 0o600, "damaged"},
		{"huge", make([]byte, maxKeyFile+1), 0o600, "too large"},
		{"readable by others", good, 0o644, "chmod 600"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" && c.mode != 0o600 {
				t.Skip("no such modes here")
			}
			dir := t.TempDir()
			path := filepath.Join(dir, KeyFile)
			if err := os.WriteFile(path, c.bytes, c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := Open(dir)
			var fe *FileError
			if !errors.As(err, &fe) || fe.Hint == "" || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want a hint and %q", err, c.want)
			}
			if b, err := os.ReadFile(path); err != nil || string(b) != string(c.bytes) {
				t.Error("the file was touched")
			}
		})
	}
}

func TestKeyOfAnotherTypeIsRefused(t *testing.T) {
	t.Parallel()
	key, _, err := crypto.GenerateSecp256k1Key(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newIdentity(key); err == nil {
		t.Error("a secp256k1 key became an identity")
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if k, err := KeyOf(id); err == nil {
		t.Errorf("its peer id became %v", k)
	}
}

func marshalled(t testing.TB) []byte {
	t.Helper()
	b, err := crypto.MarshalPrivateKey(open(t, t.TempDir()).Host())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func flipped(b []byte, i int) []byte {
	c := append([]byte(nil), b...)
	c[i] ^= 1
	return c
}

func TestPeerIDsAndKeysAreTheSame(t *testing.T) {
	t.Parallel()
	me := open(t, t.TempDir())
	if key, err := KeyOf(me.PeerID()); err != nil || key != me.Public() {
		t.Errorf("got %v, %v; want %v", key, err, me.Public())
	}
	for _, id := range []peer.ID{"", "x", peer.ID(peerIDPrefix), me.PeerID() + "x", PeerIDOf(protocols.Key{})} {
		if key, err := KeyOf(id); err == nil {
			t.Errorf("%q became %v", string(id), key)
		}
	}
}

func TestSignerSignsForItsNetwork(t *testing.T) {
	t.Parallel()
	me := open(t, t.TempDir())
	s := me.Signer("test")
	sig := s.Sign(protocols.TagReceipt, []byte("content"))
	if !s.Network().Verify(me.Public(), protocols.TagReceipt, []byte("content"), sig[:]) {
		t.Error("own signature does not verify")
	}
	if protocols.Main.Verify(me.Public(), protocols.TagReceipt, []byte("content"), sig[:]) {
		t.Error("the signature is good on another network")
	}
}

func BenchmarkKeyOf(b *testing.B) {
	id := open(b, b.TempDir()).PeerID()
	for b.Loop() {
		if _, err := KeyOf(id); err != nil {
			b.Fatal(err)
		}
	}
}
