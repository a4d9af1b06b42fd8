package wire_test

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

// hexed is a byte string that JSON shows in hex.
type hexed []byte

func (h hexed) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

func (h *hexed) UnmarshalText(b []byte) (err error) {
	*h, err = hex.AppendDecode([]byte{}, b)
	return err
}

// check fails the test unless made is what testdata/name holds, and returns
// what the file holds. With -update it writes the file first.
func check[T any](t *testing.T, name string, made T) (held T) {
	t.Helper()
	path := filepath.Join("testdata", name)
	b, err := json.MarshalIndent(made, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	if *update {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, b) {
		t.Errorf("%s is not what is made now; if that is meant, run the test with -update", path)
	}
	if err := json.Unmarshal(file, &held); err != nil {
		t.Fatal(err)
	}
	return held
}
