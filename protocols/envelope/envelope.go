package envelope

import (
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Version is the version of the envelope described here.
const Version = 1

// Limits of every envelope.
const (
	MaxSize     = 256 << 10       // encoded, in bytes
	MaxLifetime = 24 * time.Hour  // from creation to the end of every copy
	ClockSkew   = 5 * time.Minute // how far in the future creation may lie
	MaxHops     = 4               // relays an envelope may pass, and name
)

// maxMillis is the largest time that a UUIDv7 can hold: the year 10889.
const maxMillis = 1<<48 - 1

// Errors of an envelope, to be compared.
var (
	ErrClock   = errors.New("created outside the window of this node's clock")
	ErrVersion = errors.New("an envelope of a version that is not known")
	ErrForm    = errors.New("not a well-formed envelope")
)

// Digest pins the content of an envelope: SHA-256 of the exact bytes of fields
// 0 to 7.
type Digest [sha256.Size]byte

// Short returns the half of the digest that hop answers and receipts carry.
func (d Digest) Short() [16]byte { return [16]byte(d[:16]) }

// PrekeyID names a prekey: the first 8 bytes of SHA-256 of its public half.
// Zero names the recipient's identity key.
type PrekeyID [8]byte

// Identity says that the id names the identity key: no forward secrecy.
func (p PrekeyID) Identity() bool { return p == PrekeyID{} }

// Envelope is one sealed message. Via and Hops may be set anew for each path,
// and Proof once; all other fields are what was sealed and must not be changed.
// An envelope must not be copied.
type Envelope struct {
	Version  uint8
	ID       ID
	From     protocols.Key
	To       protocols.Key
	Created  uint64 // milliseconds since the epoch
	Lifetime uint32 // seconds
	Key      []byte // suite, prekey id, ephemeral public key
	Body     []byte // nonce, ciphertext
	Proof    []byte
	Via      []protocols.Key
	Hops     uint8

	signed []byte // exact bytes of fields 0 to 7
	head   int    // how many of them are fields 0 to 6

	once   sync.Once // guards digest
	digest Digest
}

// Signed returns the exact bytes of fields 0 to 7: what the proof covers,
// behind the prefix of tag and network. They must not be changed.
func (e *Envelope) Signed() []byte { return e.signed }

// Digest returns SHA-256 of Signed.
func (e *Envelope) Digest() Digest {
	e.once.Do(func() { e.digest = sha256.Sum256(e.signed) })
	return e.digest
}

// PrekeyID returns which key of the recipient's the envelope is sealed to.
func (e *Envelope) PrekeyID() PrekeyID { return PrekeyID(e.Key[1 : 1+8]) }

// CreatedAt returns when the author says it made the envelope.
func (e *Envelope) CreatedAt() time.Time { return time.UnixMilli(int64(e.Created)) }

// End returns when every copy of the envelope must be gone.
func (e *Envelope) End() time.Time {
	return e.CreatedAt().Add(time.Duration(e.Lifetime) * time.Second)
}

// CheckTime returns ErrClock unless the envelope was created between now less
// its lifetime and now plus ClockSkew.
func (e *Envelope) CheckTime(now time.Time) error {
	if e.End().Before(now) || e.CreatedAt().After(now.Add(ClockSkew)) {
		return ErrClock
	}
	return nil
}

// Append appends the encoded envelope: the eleven fields, of which 0 to 7 as
// they were received or sealed.
func (e *Envelope) Append(dst []byte) []byte {
	dst = msgp.Require(dst, e.sizeBound())
	dst = msgp.AppendArrayHeader(dst, fields)
	dst = append(dst, e.signed...)
	dst = msgp.AppendBytes(dst, e.Proof)
	dst = msgp.AppendArrayHeader(dst, uint32(len(e.Via)))
	for i := range e.Via {
		dst = msgp.AppendBytes(dst, e.Via[i][:])
	}
	return msgp.AppendUint8(dst, e.Hops)
}

func (e *Envelope) sizeBound() int {
	const headers = 1 + msgp.BytesPrefixSize + msgp.ArrayHeaderSize + msgp.Uint8Size
	return headers + len(e.signed) + len(e.Proof) + len(e.Via)*viaSize
}
