package identity

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestRatchetsAreFoundAgainAndGone(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"on disk": t.TempDir(), "in memory": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := OpenRatchets(dir)
			if b, err := r.Load("a"); b != nil || err != nil {
				t.Errorf("of nothing: %x, %v", b, err)
			}
			for _, state := range []string{"first", "second"} {
				if err := r.Save("a", []byte(state)); err != nil {
					t.Fatal(err)
				}
			}
			if dir != "" {
				r = OpenRatchets(dir)
			}
			if b, err := r.Load("a"); string(b) != "second" || err != nil {
				t.Errorf("found %q, %v", b, err)
			}
			if err := r.Remove("a"); err != nil {
				t.Fatal(err)
			}
			if b, err := r.Load("a"); b != nil || err != nil {
				t.Errorf("after its end: %x, %v", b, err)
			}
		})
	}
}

// A state that was used must not lie about: not in the file, and not in one that
// a crash left.
func TestNoStateIsLeftBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := OpenRatchets(dir)
	for _, state := range []string{"used-up-state", "the-next"} {
		if err := r.Save("a", []byte(state)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "ratchet-a.new"), []byte("used-up-state"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Load("a"); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil || bytes.Contains(b, []byte("used-up")) {
			t.Errorf("%s has %q, %v", f.Name(), b, err)
		}
	}
}
