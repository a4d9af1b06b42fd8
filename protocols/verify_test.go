package protocols_test

import (
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/binary"
	"math/big"
	"slices"
	"testing"

	"filippo.io/edwards25519"
	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
)

const tag = protocols.TagGroupRecord

// same checks that a signature is judged as crypto/ed25519 does, and returns how.
func same(t interface{ Fatalf(string, ...any) }, key, msg, sig []byte) bool {
	k := protocols.Key(key)
	want := k.Usable() && ed25519.Verify(key, protocols.Main.SigningBytes(nil, tag, msg), sig)
	if got := protocols.Main.Verify(k, tag, msg, sig); got != want {
		t.Fatalf("key %x, message %x, signature %x: %v, and crypto/ed25519 says %v", key, msg, sig, got, want)
	}
	return want
}

// Whatever is altered, a signature is judged as by crypto/ed25519.
func TestSignaturesAreJudgedAsByTheStandardLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		private := ed25519.NewKeyFromSeed(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed"))
		key := private.Public().(ed25519.PublicKey)
		msg := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "msg")
		sig := ed25519.Sign(private, protocols.Main.SigningBytes(nil, tag, msg))
		if !same(t, key, msg, sig) {
			t.Fatalf("a good signature is refused")
		}
		bad := append([]byte(nil), sig...)
		bad[rapid.IntRange(0, 63).Draw(t, "byte")] ^= byte(1) << rapid.IntRange(0, 7).Draw(t, "bit")
		if same(t, key, msg, bad) || same(t, key, append(msg, 1), sig) || same(t, key, msg, sig[:63]) || same(t, key, msg, nil) {
			t.Fatalf("what was altered verifies")
		}
		other := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
		if same(t, other, msg, sig) || same(t, rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"), msg, sig) {
			t.Fatalf("it verifies under another key")
		}
	})
}

// order is the order of the base point.
var order, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)

// What is added to s is refused, also where it changes nothing.
func TestANumberBeyondTheOrderIsRefused(t *testing.T) {
	t.Parallel()
	private := ed25519.NewKeyFromSeed(make([]byte, 32))
	msg := []byte("hello")
	sig := ed25519.Sign(private, protocols.Main.SigningBytes(nil, tag, msg))
	sum := new(big.Int).SetBytes(reversed(sig[32:]))
	copy(sig[32:], reversed(sum.Add(sum, order).FillBytes(make([]byte, 32))))
	if same(t, private.Public().(ed25519.PublicKey), msg, sig) {
		t.Error("s beyond the order is taken")
	}
}

// reversed turns little-endian bytes into big-endian ones, and back.
func reversed(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b)
	return b
}

// Where the key, or R, has a part of small order, verifiers that multiply by the
// cofactor say something else than crypto/ed25519: of these signatures some
// verify, the same ones here.
func TestPointsWithAPartOfSmallOrder(t *testing.T) {
	t.Parallel()
	h := sha512.Sum512([]byte("seed"))
	a, err := new(edwards25519.Scalar).SetBytesWithClamping(h[:32])
	if err != nil {
		t.Fatal(err)
	}
	small, err := new(edwards25519.Point).SetBytes(torsion(t)[1])
	if err != nil {
		t.Fatal(err)
	}
	key := new(edwards25519.Point).ScalarBaseMult(a)
	mixed := new(edwards25519.Point).Add(key, small)
	taken := 0
	for n := range 128 {
		msg := binary.BigEndian.AppendUint64(nil, uint64(n))
		r, err := new(edwards25519.Scalar).SetUniformBytes(func() []byte { x := sha512.Sum512(msg); return x[:] }())
		if err != nil {
			t.Fatal(err)
		}
		point := new(edwards25519.Point).ScalarBaseMult(r)
		for _, x := range []struct{ key, r *edwards25519.Point }{
			{mixed, point}, {key, new(edwards25519.Point).Add(point, small)}, {mixed, new(edwards25519.Point).Add(point, small)},
		} {
			if same(t, x.key.Bytes(), msg, forgery(t, a, r, x.key, x.r, msg)) {
				taken++
			}
		}
	}
	if taken < 10 || taken > 100 {
		t.Errorf("%d of these verify", taken)
	}
}

// forgery is what verifies if the points had no part of small order.
func forgery(t *testing.T, a, r *edwards25519.Scalar, key, point *edwards25519.Point, msg []byte) []byte {
	t.Helper()
	h := sha512.New()
	h.Write(point.Bytes())
	h.Write(key.Bytes())
	h.Write(protocols.Main.SigningBytes(nil, tag, msg))
	k, err := new(edwards25519.Scalar).SetUniformBytes(h.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	return append(point.Bytes(), new(edwards25519.Scalar).MultiplyAdd(k, a, r).Bytes()...)
}
