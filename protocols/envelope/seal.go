package envelope

import (
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tinylib/msgp/msgp"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/proof"
)

// An ephemeral key is used towards one prekey for so long and so often.
const (
	ephemeralLife = 10 * time.Minute
	ephemeralUses = 4096
)

// maxSealKeys bounds the keys a sealer remembers, each of about 300 bytes.
const maxSealKeys = 1024

const (
	maxLifetimeSeconds = uint32(MaxLifetime / time.Second)
	maxProof           = proof.MaxSize
)

// ErrTooLarge is what every TooLargeError is.
var ErrTooLarge = errors.New("envelope too large")

// TooLargeError says that an envelope would be, or is, longer than Limit.
type TooLargeError struct {
	Size  int // bytes encoded, with the longest proof and path
	Limit int // bytes
}

func (e TooLargeError) Error() string {
	return fmt.Sprintf("an envelope of %d bytes is over the limit of %d", e.Size, e.Limit)
}

// Is makes errors.Is(err, ErrTooLarge) true.
func (e TooLargeError) Is(target error) bool { return target == ErrTooLarge }

// Sealer seals for one author. It uses an ephemeral key towards one prekey for
// ten minutes or 4 096 envelopes, so that the Diffie-Hellman is paid for a
// conversation, not for a message. It is safe for concurrent use.
type Sealer struct {
	from protocols.Key
	now  func() time.Time

	mu   sync.Mutex // guards keys and what they point to
	keys map[Recipient]*sealKey
}

// sealKey is an ephemeral key towards one recipient.
type sealKey struct {
	field []byte // field 6
	aead  cipher.AEAD
	until time.Time
	left  int
}

// NewSealer returns a sealer for the author from.
func NewSealer(from protocols.Key, now func() time.Time) *Sealer {
	return &Sealer{from: from, now: now, keys: make(map[Recipient]*sealKey)}
}

// Seal seals a plaintext, which message.Content.Append has padded. The
// lifetime is cut to seconds. The envelope has no proof yet: see Sign. The
// error is a TooLargeError when len(plaintext) is over MaxPlaintext.
func (s *Sealer) Seal(to Recipient, id ID, created time.Time, lifetime time.Duration, plaintext []byte) (*Envelope, error) {
	if len(plaintext) > MaxPlaintext {
		return nil, TooLargeError{Size: len(plaintext) + MaxSize - MaxPlaintext, Limit: MaxSize}
	}
	if lifetime < time.Second || lifetime > MaxLifetime {
		return nil, fmt.Errorf("seal: a lifetime of %v is not within 1s and %v", lifetime, MaxLifetime)
	}
	k, err := s.key(to)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	e := &Envelope{
		Version: Version, ID: id, From: s.from, To: to.Node,
		Created: uint64(created.UnixMilli()), Lifetime: uint32(lifetime / time.Second), Key: k.field,
	}
	if e.Created > maxMillis {
		return nil, fmt.Errorf("seal: created %v, which is out of bounds", created)
	}
	var nonce [nonceSize]byte
	rand.Read(nonce[:])
	e.encrypt(k.aead, nonce, plaintext)
	return e, nil
}

// Forget drops the keys towards a recipient.
func (s *Sealer) Forget(node protocols.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for to := range s.keys {
		if to.Node == node {
			delete(s.keys, to)
		}
	}
}

// encrypt fills in body and signed bytes from the fields before them.
func (e *Envelope) encrypt(aead cipher.AEAD, nonce [nonceSize]byte, plaintext []byte) {
	b := e.appendHead(make([]byte, 0, maxSignedOverhead+len(plaintext)))
	e.head = len(b)
	b = msgp.AppendBytesHeader(b, uint32(nonceSize+len(plaintext)+chacha20poly1305.Overhead))
	body := len(b)
	b = append(b, nonce[:]...)
	b = aead.Seal(b, nonce[:], plaintext, b[:e.head])
	e.signed, e.Body = b, b[body:]
}

// key returns the key towards a recipient, counted as used once more.
func (s *Sealer) key(to Recipient) (*sealKey, error) {
	now := s.now()
	if k := s.use(to, now); k != nil {
		return k, nil
	}
	// Made outside the lock: others need not wait for a Diffie-Hellman. Two
	// that do so at once make two keys, of which one is used once only.
	k, err := newSealKey(s.from, to)
	if err != nil {
		return nil, err
	}
	k.until, k.left = now.Add(ephemeralLife), ephemeralUses-1
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeRoom(now)
	s.keys[to] = k
	return k, nil
}

func (s *Sealer) use(to Recipient, now time.Time) *sealKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.keys[to]
	if k == nil || k.left == 0 || !now.Before(k.until) || now.Before(k.until.Add(-ephemeralLife)) {
		return nil
	}
	k.left--
	return k
}

// makeRoom drops the keys past their time, and any one if that was not enough.
func (s *Sealer) makeRoom(now time.Time) {
	if len(s.keys) < maxSealKeys {
		return
	}
	for to, k := range s.keys {
		if !now.Before(k.until) {
			delete(s.keys, to)
		}
	}
	for to := range s.keys {
		if len(s.keys) < maxSealKeys {
			return
		}
		delete(s.keys, to)
	}
}

func newSealKey(from protocols.Key, to Recipient) (*sealKey, error) {
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make ephemeral key: %w", err)
	}
	return sealKeyOf(ephemeral, from, to)
}

func sealKeyOf(ephemeral *ecdh.PrivateKey, from protocols.Key, to Recipient) (*sealKey, error) {
	public, err := ecdh.X25519().NewPublicKey(to.Public[:])
	if err != nil {
		return nil, fmt.Errorf("recipient's key: %w", err)
	}
	shared, err := ephemeral.ECDH(public)
	if err != nil {
		return nil, fmt.Errorf("agree on a key: %w", err)
	}
	own := [32]byte(ephemeral.PublicKey().Bytes())
	aead, err := newAEAD([32]byte(shared), own, to.Public, from, to.Node)
	if err != nil {
		return nil, err
	}
	field := append([]byte{suite}, to.Prekey[:]...)
	return &sealKey{field: append(field, own[:]...), aead: aead}, nil
}
