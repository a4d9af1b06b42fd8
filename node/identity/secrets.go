package identity

import (
	"bytes"
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
)

// secret is a symmetric key that will be destroyed.
type secret [32]byte

// minute counts minutes since the epoch.
type minute uint32

// secrets is what the vault holds at one moment, as its file says it. It is
// never changed, only replaced; successors share the keys they keep.
type secrets struct {
	floor   uint64 // ms: this node's time has been here
	made    uint64 // ms: when the list of prekeys last changed
	prekeys []prekey
	shreds  map[minute]*secret
}

const (
	vaultMagic   = "tom-vault"
	vaultVersion = 1
	entryLen     = 4 + 32

	// maxPrekeys and maxShreds are more than any honest clock brings about.
	maxPrekeys = 64
	maxShreds  = 4096

	maxVault = len(vaultMagic) + 1 + 16 + 2 + maxPrekeys*entryLen + 2 + maxShreds*entryLen + sha256.Size
)

var (
	errVaultVersion = errors.New("it is of a newer version")
	errVaultDamaged = errors.New("its checksum or its form is wrong")
)

// encode writes the file. The caller clears it after use.
func (s *secrets) encode() []byte {
	size := len(vaultMagic) + 1 + 16 + 4 + entryLen*(len(s.prekeys)+len(s.shreds)) + sha256.Size
	b := make([]byte, 0, size)
	b = append(b, vaultMagic...)
	b = append(b, vaultVersion)
	b = binary.BigEndian.AppendUint64(b, s.floor)
	b = binary.BigEndian.AppendUint64(b, s.made)
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.prekeys)))
	for _, k := range s.prekeys {
		private := k.private.Bytes()
		b = append(binary.BigEndian.AppendUint32(b, k.day), private...)
		clear(private)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.shreds)))
	for _, m := range slices.Sorted(maps.Keys(s.shreds)) {
		b = append(binary.BigEndian.AppendUint32(b, uint32(m)), s.shreds[m][:]...)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// decodeSecrets reads a file that encode wrote.
func decodeSecrets(b []byte) (*secrets, error) {
	rest, ok := bytes.CutPrefix(b, []byte(vaultMagic))
	if !ok || len(rest) < 1+sha256.Size {
		return nil, errVaultDamaged
	}
	if rest[0] > vaultVersion {
		return nil, errVaultVersion
	}
	end := len(b) - sha256.Size
	if sum := sha256.Sum256(b[:end]); !bytes.Equal(sum[:], b[end:]) || rest[0] != vaultVersion {
		return nil, errVaultDamaged
	}
	r := reader{b: rest[1 : len(rest)-sha256.Size]}
	s := &secrets{floor: r.uint64(), made: r.uint64(), shreds: make(map[minute]*secret)}
	for range r.count(maxPrekeys) {
		k, err := newPrekey(r.uint32(), r.take(32))
		if err != nil {
			return nil, errVaultDamaged
		}
		s.prekeys = append(s.prekeys, k)
	}
	for range r.count(maxShreds) {
		m, key := minute(r.uint32()), r.take(32)
		if key != nil {
			s.shreds[m] = (*secret)(bytes.Clone(key))
		}
	}
	if r.short || len(r.b) != 0 {
		return nil, errVaultDamaged
	}
	return s, nil
}

// reader takes fixed-length fields off the front of b. Once b was too short it
// yields zeros.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if len(r.b) < n {
		r.b, r.short = nil, true
		return nil
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// count reads how many entries follow; there are at most limit, and no more
// than the bytes left can hold.
func (r *reader) count(limit int) int {
	b := r.take(2)
	if b == nil {
		return 0
	}
	n := int(binary.BigEndian.Uint16(b))
	if n > limit || n*entryLen > len(r.b) {
		r.short = true
		return 0
	}
	return n
}

// wipe overwrites the keys of s that next does not keep.
func (s *secrets) wipe(next *secrets) {
	for m, key := range s.shreds {
		if next.shreds[m] != key {
			clear(key[:])
		}
	}
	kept := make(map[*ecdh.PrivateKey]bool, len(next.prekeys))
	for _, k := range next.prekeys {
		kept[k.private] = true
	}
	for _, k := range s.prekeys {
		if !kept[k.private] {
			wipe(k.private)
		}
	}
}
