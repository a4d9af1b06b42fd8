package senderkey

import (
	"crypto/hmac"
	"crypto/sha256"
	"testing"

	"pgregory.net/rapid"
)

func TestKeysAreDerivedByHMAC(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s secret
		copy(s[:], rapid.SliceOfN(rapid.Byte(), len(s), len(s)).Draw(t, "state"))
		label := rapid.Byte().Draw(t, "label")
		m := hmac.New(sha256.New, s[:])
		m.Write([]byte{label})
		if got := s.derive(label); !hmac.Equal(got[:], m.Sum(nil)) {
			t.Errorf("%x of %x and %d", got, s, label)
		}
	})
}

func BenchmarkDerive(b *testing.B) {
	b.ReportAllocs()
	var s secret
	for b.Loop() {
		s = s.next()
	}
}
