package keytable_test

import (
	"testing"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/keytable"
)

// BenchmarkVerify verifies signatures of one key, as crypto/ed25519 does and with its
// table.
func BenchmarkVerify(b *testing.B) {
	s, msg := fixed.Author(), make([]byte, 400)
	sig := s.Sign(tag, msg)
	for _, x := range []struct {
		name string
		by   interface {
			Verify(protocols.Key, protocols.Tag, []byte, []byte) bool
		}
	}{{"plain", protocols.Main}, {"table", keytable.New(protocols.Main)}} {
		b.Run(x.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !x.by.Verify(s.Public(), tag, msg, sig[:]) {
					b.Fatal("it does not verify")
				}
			}
		})
	}
}
