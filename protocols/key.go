package protocols

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
)

// KeySize is the length of a Key in bytes.
const KeySize = 32

// Key is a raw Ed25519 public key: who a node is, on the wire.
type Key [KeySize]byte

// ErrKey is returned for bytes that no node may use as its identity.
var ErrKey = errors.New("not a usable Ed25519 public key")

// ParseKey reads a key from exactly 32 bytes. It refuses keys that are not
// canonical and keys of small order, under which anything verifies. Whether
// the key is a point of the curve is left to the verifier: under one that is
// not, nothing verifies.
func ParseKey(b []byte) (Key, error) {
	if len(b) != KeySize {
		return Key{}, ErrKey
	}
	k := Key(b)
	if !k.Usable() {
		return Key{}, ErrKey
	}
	return k, nil
}

// Usable says that the key is canonical and not of small order.
func (k Key) Usable() bool {
	y := words(k)
	return below(y, fieldPrime) && !smallOrder(y)
}

// String returns the key in hex, for logs and tests. Users see peer ids.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// A coordinate is the y of a point, as little-endian 64-bit words, without the
// sign of x.
type coordinate [4]uint64

func words(k Key) coordinate {
	const sign = 1 << 63
	return coordinate{
		binary.LittleEndian.Uint64(k[0:]),
		binary.LittleEndian.Uint64(k[8:]),
		binary.LittleEndian.Uint64(k[16:]),
		binary.LittleEndian.Uint64(k[24:]) &^ sign,
	}
}

// fieldPrime is 2^255 - 19. A canonical y is below it.
var fieldPrime = coordinate{0xffffffffffffffed, 0xffffffffffffffff, 0xffffffffffffffff, 0x7fffffffffffffff}

// smallOrders are the y of the eight points whose order divides eight (see
// RFC 8032 section 8.9 and "Taming the many EdDSAs", Chalkias et al. 2020).
var smallOrders = [...]coordinate{
	{0, 0, 0, 0},
	{1, 0, 0, 0},
	{0xffffffffffffffec, 0xffffffffffffffff, 0xffffffffffffffff, 0x7fffffffffffffff},
	words(Key(unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))),
	words(Key(unhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))),
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func below(a, b coordinate) bool {
	for i := 3; i >= 0; i-- {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

func smallOrder(y coordinate) bool {
	for _, s := range smallOrders {
		if y == s {
			return true
		}
	}
	return false
}
