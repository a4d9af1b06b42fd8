package protocols_test

import (
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"filippo.io/edwards25519"
	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/golden"
)

const tag = protocols.TagGroupRecord

// same checks that a signature in which nothing is of small order is judged as
// crypto/ed25519 does, and returns how.
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
	if same(t, private.Public().(ed25519.PublicKey), msg, beyond(sig)) {
		t.Error("s beyond the order is taken")
	}
}

// beyond is the signature with the order added to its number.
func beyond(sig []byte) []byte {
	sum := new(big.Int).SetBytes(reversed(sig[32:]))
	return append(slices.Clone(sig[:32]), reversed(sum.Add(sum, order).FillBytes(make([]byte, 32)))...)
}

// reversed turns little-endian bytes into big-endian ones, and back.
func reversed(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b)
	return b
}

// Where the key, or R, has a part of small order all is judged with the factor 8:
// crypto/ed25519, which leaves it out, takes some of these, by chance.
func TestPointsWithAPartOfSmallOrder(t *testing.T) {
	t.Parallel()
	m, without := newMixer(t), 0
	for n := range 128 {
		msg := binary.BigEndian.AppendUint64(nil, uint64(n))
		for _, x := range [][2]int{{1, 0}, {0, 1}, {1, 1}} {
			key, sig := m.sign(x[0], x[1], msg)
			if !protocols.Main.Verify(key, tag, msg, sig) {
				t.Errorf("key %x, message %x, signature %x: refused", key, msg, sig)
			}
			if ed25519.Verify(key[:], protocols.Main.SigningBytes(nil, tag, msg), sig) {
				without++
			}
			sig[40] ^= 1
			if protocols.Main.Verify(key, tag, msg, sig) {
				t.Errorf("key %x, message %x, signature %x: taken", key, msg, sig)
			}
		}
	}
	if without < 10 || without > 100 {
		t.Errorf("crypto/ed25519 takes %d", without)
	}
}

// Whatever is verified together, each is judged as it is alone.
func TestManyAreJudgedAsEachAlone(t *testing.T) {
	t.Parallel()
	m := newMixer(t)
	rapid.Check(t, func(t *rapid.T) {
		bad := rapid.IntRange(0, 3).Draw(t, "bad") > 0 // else all are good: then they are verified in one go
		list := make([]protocols.Signed, rapid.IntRange(0, 12).Draw(t, "signatures"))
		good := make([]bool, len(list))
		part := rapid.IntRange(0, 7)
		for i := range list {
			s := protocols.Signed{Tag: tag, Msg: []byte{byte(i)}}
			s.Key, s.Sig = m.sign(part.Draw(t, "of the key"), part.Draw(t, "of R"), s.Msg)
			if bad {
				m.spoil(&s, rapid.IntRange(0, 8).Draw(t, "spoiled"))
			}
			list[i], good[i] = s, protocols.Main.Verify(s.Key, s.Tag, s.Msg, s.Sig)
			if !good[i] && !bad {
				t.Fatalf("%+v is refused", s)
			}
		}
		if got := protocols.Main.VerifyAll(list); !slices.Equal(got, good) {
			t.Fatalf("together %v, alone %v", got, good)
		}
	})
}

// mixer signs under keys, and with R, that have a part of small order.
type mixer struct {
	a     *edwards25519.Scalar
	small [8]*edwards25519.Point
}

func newMixer(t *testing.T) *mixer {
	t.Helper()
	m := &mixer{a: scalar("seed")}
	for i, b := range torsion(t) {
		m.small[i] = decoded(b)
	}
	return m
}

// scalar makes one of a few bytes.
func scalar(of string) *edwards25519.Scalar {
	h := sha512.Sum512([]byte(of))
	s, err := edwards25519.NewScalar().SetUniformBytes(h[:])
	if err != nil {
		panic(err)
	}
	return s
}

func decoded(b []byte) *edwards25519.Point {
	p, err := new(edwards25519.Point).SetBytes(b)
	if err != nil {
		panic(err)
	}
	return p
}

// mixed is s·B and the ith of the points of small order.
func (m *mixer) mixed(s *edwards25519.Scalar, i int) *edwards25519.Point {
	p := new(edwards25519.Point).ScalarBaseMult(s)
	return p.Add(p, m.small[i])
}

// sign makes a signature that is good with the factor 8.
func (m *mixer) sign(ofKey, ofR int, msg []byte) (protocols.Key, []byte) {
	r := scalar(string(msg))
	key, point := m.mixed(m.a, ofKey).Bytes(), m.mixed(r, ofR).Bytes()
	return protocols.Key(key), m.complete(key, point, r, msg)
}

// complete adds S to the bytes of R.
func (m *mixer) complete(key, point []byte, r *edwards25519.Scalar, msg []byte) []byte {
	k := scalar(string(point) + string(key) + string(protocols.Main.SigningBytes(nil, tag, msg)))
	return append(slices.Clone(point), edwards25519.NewScalar().MultiplyAdd(k, m.a, r).Bytes()...)
}

// spoil changes a signature so that it is refused; from 6 on it does not.
func (m *mixer) spoil(s *protocols.Signed, how int) {
	switch how {
	case 0:
		s.Sig[40] ^= 1
	case 1:
		s.Sig = s.Sig[:63]
	case 2:
		s.Key, s.Sig = protocols.Key(m.small[3].Bytes()), append(m.small[5].Bytes(), make([]byte, 32)...)
	case 3:
		s.Sig = beyond(s.Sig)
	case 4:
		s.Sig = m.complete(s.Key[:], notCanonical, edwards25519.NewScalar(), s.Msg)
	case 5:
		s.Tag = protocols.TagReceipt
	}
}

// notCanonical is the neutral element, its y not reduced.
var notCanonical = unhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

type judged struct {
	Name      string     `json:"name"`
	Network   string     `json:"network"`
	Tag       string     `json:"tag"`
	Message   golden.Hex `json:"message"`
	Public    golden.Hex `json:"public"`
	Signature golden.Hex `json:"signature"`
	Good      bool       `json:"good"`
}

// What tells rules apart by which Ed25519 signatures are judged.
func TestGoldenVerdicts(t *testing.T) {
	t.Parallel()
	m, msg, none := newMixer(t), []byte("hello"), edwards25519.NewScalar()
	plain, sig := m.sign(0, 0, msg)
	mixed, both := m.sign(1, 3, msg)
	ofKey, underMixed := m.sign(2, 0, msg)
	_, ofR := m.sign(0, 1, msg)
	anyone := append(m.small[0].Bytes(), make([]byte, 32)...) // it verifies under every key of small order
	var list []judged
	add := func(name string, good bool, key, sig []byte) {
		list = append(list, judged{name, string(protocols.Main), string(tag), msg, key, sig, good})
	}
	add("as it is signed", true, plain[:], sig)
	add("R has a part of small order: good with the factor only", true, plain[:], ofR)
	add("the key has a part of small order: good with the factor only", true, ofKey[:], underMixed)
	add("both have one", true, mixed[:], both)
	add("R is of small order", true, plain[:], m.complete(plain[:], m.small[1].Bytes(), none, msg))
	add("R is the neutral element", true, plain[:], m.complete(plain[:], m.small[0].Bytes(), none, msg))
	add("the same, its y not reduced", false, plain[:], m.complete(plain[:], notCanonical, none, msg))
	add("the same, its x negative", false, plain[:], m.complete(plain[:], negative(m.small[0].Bytes()), none, msg))
	add("R is not on the curve", false, plain[:], m.complete(plain[:], offCurve(), none, msg))
	add("S with the order added", false, plain[:], beyond(sig))
	add("another S", false, plain[:], append(slices.Clone(sig[:63]), sig[63]^1))
	for i, p := range m.small {
		add(fmt.Sprintf("the key is of small order: %d", i), false, p.Bytes(), anyone)
	}
	add("the key is the neutral element, its y not reduced", false, notCanonical, anyone)
	add("the key is not on the curve", false, offCurve(), anyone)
	for _, h := range golden.Check(t, "verifying.json", list) {
		s := protocols.Signed{Key: protocols.Key(h.Public), Tag: protocols.Tag(h.Tag), Msg: h.Message, Sig: h.Signature}
		n := protocols.Network(h.Network)
		if alone, twice := n.Verify(s.Key, s.Tag, s.Msg, s.Sig), n.VerifyAll([]protocols.Signed{s, s}); alone != h.Good || twice[0] != h.Good || twice[1] != h.Good {
			t.Errorf("%s: %v, and twice %v", h.Name, alone, twice)
		}
	}
}

func negative(point []byte) []byte {
	point[31] |= 0x80
	return point
}

// offCurve is the smallest y that no point has.
func offCurve() []byte {
	for y := byte(2); ; y++ {
		b := append([]byte{y}, make([]byte, 31)...)
		if _, err := new(edwards25519.Point).SetBytes(b); err != nil {
			return b
		}
	}
}
