package protocols_test

import (
	"crypto/ed25519"
	"slices"
	"testing"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
)

// BenchmarkVerify verifies a signature as crypto/ed25519 does, and as is done here: alone,
// and 32 together.
func BenchmarkVerify(b *testing.B) {
	s, msg := fixed.Author(), make([]byte, 400)
	sig, key := s.Sign(tag, msg), s.Public()
	many := slices.Repeat([]protocols.Signed{{Key: key, Tag: tag, Msg: msg, Sig: sig[:]}}, 32)
	for name, verify := range map[string]func() bool{
		"standard": func() bool { return ed25519.Verify(key[:], protocols.Main.SigningBytes(nil, tag, msg), sig[:]) },
		"here":     func() bool { return protocols.Main.Verify(key, tag, msg, sig[:]) },
		"together": func() bool { return !slices.Contains(protocols.Main.VerifyAll(many), false) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !verify() {
					b.Fatal("it does not verify")
				}
			}
		})
	}
}
