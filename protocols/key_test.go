package protocols_test

import (
	"crypto/ed25519"
	"slices"
	"testing"

	"filippo.io/edwards25519"
	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
)

// torsion returns the eight points whose order divides eight.
func torsion(t *testing.T) [][]byte {
	t.Helper()
	for y := byte(2); ; y++ {
		p, err := new(edwards25519.Point).SetBytes(slices.Concat([]byte{y}, make([]byte, 31)))
		if err != nil {
			continue
		}
		// l times any point lies in the torsion; look for one of full order.
		p = timesPrimeOrder(t, p)
		all := multiples(p)
		if len(all) == 8 {
			return all
		}
	}
}

// timesPrimeOrder returns l·p, where l is the order of the base point.
func timesPrimeOrder(t *testing.T, p *edwards25519.Point) *edwards25519.Point {
	t.Helper()
	minusOne := edwards25519.NewScalar()
	one, err := edwards25519.NewScalar().SetCanonicalBytes(slices.Concat([]byte{1}, make([]byte, 31)))
	if err != nil {
		t.Fatal(err)
	}
	minusOne.Negate(one) // l - 1
	q := new(edwards25519.Point).ScalarMult(minusOne, p)
	return q.Add(q, p)
}

func multiples(p *edwards25519.Point) [][]byte {
	q, all := edwards25519.NewIdentityPoint(), [][]byte{}
	for {
		all = append(all, q.Bytes())
		q = new(edwards25519.Point).Add(q, p)
		if q.Equal(edwards25519.NewIdentityPoint()) == 1 {
			return all
		}
	}
}

func TestKeysOfSmallOrderAreRefused(t *testing.T) {
	t.Parallel()
	for _, b := range torsion(t) {
		if _, err := protocols.ParseKey(b); err == nil {
			t.Errorf("%x was taken", b)
		}
		b[31] ^= 0x80 // the other sign: the negative, or not canonical
		if _, err := protocols.ParseKey(b); err == nil {
			t.Errorf("%x was taken", b)
		}
	}
}

func TestNonCanonicalKeysAreRefused(t *testing.T) {
	t.Parallel()
	for low := 0xed; low <= 0xff; low++ { // p, p+1, … 2^255-1
		for _, high := range []byte{0x7f, 0xff} {
			b := slices.Concat([]byte{byte(low)}, slices.Repeat([]byte{0xff}, 30), []byte{high})
			if _, err := protocols.ParseKey(b); err == nil {
				t.Errorf("%x was taken", b)
			}
		}
	}
}

func TestKeysOfAWrongLengthAreRefused(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 31, 33, 64} {
		if _, err := protocols.ParseKey(make([]byte, n)); err == nil {
			t.Errorf("%d bytes were taken", n)
		}
	}
}

func TestEveryRealKeyIsTaken(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed")
		pub := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		if k, err := protocols.ParseKey(pub); err != nil || !slices.Equal(k[:], pub) {
			t.Fatalf("%x: %v", pub, err)
		}
	})
}

// Without the check a key of small order verifies signatures nobody made.
func TestNothingVerifiesUnderAKeyOfSmallOrder(t *testing.T) {
	t.Parallel()
	for _, b := range torsion(t) {
		sig := slices.Concat(b, make([]byte, 32)) // R = A, s = 0
		for i := range 64 {
			if protocols.Main.Verify(protocols.Key(b), protocols.TagReceipt, []byte{byte(i)}, sig) {
				t.Fatalf("%x verifies", b)
			}
		}
	}
}

func BenchmarkParseKey(b *testing.B) {
	k := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	for b.Loop() {
		if _, err := protocols.ParseKey(k); err != nil {
			b.Fatal(err)
		}
	}
}
