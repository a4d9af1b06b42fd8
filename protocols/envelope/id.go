package envelope

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"sync"
	"time"
)

// ID names a message: a UUIDv7 (RFC 9562 section 5.7), made by its author. Only
// author and ID together are unique.
type ID [16]byte

// errID is returned by ParseID.
var errID = errors.New("not a message id: it looks like 01890a5d-ac96-774b-bcce-b302099a8057")

// NewID returns a new id. Ids made in one process within one millisecond of now
// ascend.
func NewID(now time.Time) ID { return ids.next(uint64(now.UnixMilli())) }

// ParseID is the inverse of String. Upper-case digits are accepted.
func ParseID(s string) (id ID, err error) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ID{}, errID
	}
	digits := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36]
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return ID{}, errID
	}
	return id, nil
}

// Valid says that the id is a UUIDv7, as those of NewID are.
func (id ID) Valid() bool { return id[6]>>4 == 7 && id[8]>>6 == 2 }

// String returns the id in the canonical form of a UUID.
func (id ID) String() string {
	var s [36]byte
	hex.Encode(s[0:8], id[0:4])
	hex.Encode(s[9:13], id[4:6])
	hex.Encode(s[14:18], id[6:8])
	hex.Encode(s[19:23], id[8:10])
	hex.Encode(s[24:36], id[10:16])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}

// ids is shared by all nodes of the process, so that their ids differ too.
var ids idSource

type idSource struct {
	mu sync.Mutex // guards the two below

	millis uint64
	low    uint64 // the 62 random bits of the last id
	high   uint16 // the 12 bits above them
}

// next counts on from the last id of the same millisecond, in random steps that
// keep ids unguessable, and starts anew for another millisecond.
func (s *idSource) next(millis uint64) ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var r [12]byte
	rand.Read(r[:])
	if millis != s.millis {
		s.restart(millis, r)
	} else {
		s.step(1 + uint64(binary.BigEndian.Uint32(r[:])))
	}
	return s.id()
}

const (
	lowBits  = 62
	highBits = 12
)

// restart leaves the uppermost bit zero: room to count on.
func (s *idSource) restart(millis uint64, r [12]byte) {
	s.millis = millis
	s.low = binary.BigEndian.Uint64(r[0:]) >> (64 - lowBits)
	s.high = binary.BigEndian.Uint16(r[8:]) >> (16 - highBits + 1)
}

func (s *idSource) step(by uint64) {
	s.low += by
	s.high += uint16(s.low >> lowBits)
	s.low &= 1<<lowBits - 1
}

func (s *idSource) id() (id ID) {
	const version, variant = 7, 2
	binary.BigEndian.PutUint64(id[0:], s.millis<<16|version<<highBits|uint64(s.high))
	binary.BigEndian.PutUint64(id[8:], variant<<lowBits|s.low)
	return id
}
