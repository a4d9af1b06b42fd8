package envelope

import (
	"bytes"
	"testing"

	"github.com/tom-protocol/tom/protocols/internal/fixed"
)

// FuzzParse: what parses is bounded, has one encoding, and survives every step
// behind Parse.
func FuzzParse(f *testing.F) {
	for _, e := range sealed(f, fixedSealer(), 3) {
		e.Via, e.Hops = relays(2), 1
		f.Add(e.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Parse(b)
		if err != nil {
			return
		}
		known := e.Append(nil)
		if len(known) > len(b)+8 {
			t.Fatalf("%d bytes became %d", len(b), len(known))
		}
		again, err := Parse(known)
		if err != nil || !bytes.Equal(again.Append(nil), known) || again.Digest() != e.Digest() {
			t.Fatalf("%x became %x: %v", b, known, err)
		}
		if !bytes.Contains(b, e.Signed()) {
			t.Fatal("the signed bytes are not those received")
		}
		if verify(e) == nil && e.From != fixed.Author().Public() {
			t.Fatal("a forgery verifies")
		}
		_ = e.CheckTime(fixed.Created)
		_, _ = fixedOpener().Open(e)
	})
}
