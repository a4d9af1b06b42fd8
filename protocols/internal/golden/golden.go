// Package golden compares what the code makes with files that another
// implementation can read: JSON, with every byte string in hex.
package golden

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Hex is a byte string that JSON shows in hex.
type Hex []byte

// MarshalText returns the bytes in hex.
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// UnmarshalText is the inverse of MarshalText.
func (h *Hex) UnmarshalText(b []byte) (err error) {
	*h, err = hex.AppendDecode([]byte{}, b)
	return err
}

// Check fails the test unless made is what testdata/name holds, and returns
// what the file holds. With -update it writes the file first.
func Check[T any](t *testing.T, name string, made T) T {
	t.Helper()
	path := filepath.Join("testdata", name)
	b, err := json.MarshalIndent(made, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	if *update {
		write(t, path, b)
	}
	held, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(held, b) {
		t.Errorf("%s is not what is made now; if that is meant, run the test with -update", path)
	}
	var v T
	if err := json.Unmarshal(held, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
