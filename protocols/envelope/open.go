package envelope

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/cache"
)

// openLimits bound the remembered keys, each of about 200 bytes.
var openLimits = cache.Limits{Authors: 1024, PerAuthor: 8}

// openLife is how long a derived key is remembered: a little longer than an
// author uses it.
const openLife = ephemeralLife + ClockSkew

// ErrUnopenable says that an envelope cannot be opened, now or ever: its
// prekey is unknown or destroyed, or its ciphertext is not what was sealed.
var ErrUnopenable = errors.New("the envelope cannot be opened")

// Agreement holds the private halves of this node's prekeys and identity key.
type Agreement interface {
	// Agree returns the X25519 secret of the key id and ephemeral, and the
	// key's public half. It refuses unknown keys and an all-zero secret.
	Agree(id PrekeyID, ephemeral [32]byte) (shared, public [32]byte, err error)
}

// Opener opens envelopes for one recipient. It remembers derived keys in
// bounded memory, for minutes. It is safe for concurrent use.
type Opener struct {
	me   protocols.Key
	keys Agreement
	now  func() time.Time

	derived *cache.ByAuthor[openID, openKey]
}

// openID is field 6 of an envelope.
type openID [keySize]byte

type openKey struct {
	aead  cipher.AEAD
	until time.Time
}

// NewOpener returns an opener for the recipient me.
func NewOpener(me protocols.Key, keys Agreement, now func() time.Time) *Opener {
	return &Opener{me: me, keys: keys, now: now, derived: cache.New[openID, openKey](openLimits)}
}

// Open returns the padded plaintext, in memory of its own. The envelope must
// have been verified. Every error is ErrUnopenable.
func (o *Opener) Open(e *Envelope) ([]byte, error) {
	if e.To != o.me {
		return nil, fmt.Errorf("%w: it is for another node", ErrUnopenable)
	}
	aead, err := o.key(e)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnopenable, err)
	}
	nonce, ciphertext := e.Body[:nonceSize], e.Body[nonceSize:]
	plaintext, err := aead.Open(nil, nonce, ciphertext, e.signed[:e.head])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnopenable, err)
	}
	return plaintext, nil
}

// Forget drops everything derived from the given keys. It must be called when
// their private halves are destroyed.
func (o *Opener) Forget(ids ...PrekeyID) {
	o.derived.RemoveIf(func(_ protocols.Key, id openID, _ openKey) bool {
		return slices.Contains(ids, PrekeyID(id[1:9]))
	})
}

// key derives the key of an envelope, or remembers it.
func (o *Opener) key(e *Envelope) (cipher.AEAD, error) {
	now, id := o.now(), openID(e.Key)
	known, age, ok := o.derived.Get(e.From, id)
	if ok && now.Before(known.until) {
		return known.aead, nil
	}
	aead, err := o.derive(e)
	if err != nil {
		return nil, err
	}
	o.derived.Put(e.From, id, openKey{aead: aead, until: now.Add(openLife)}, age)
	return aead, nil
}

func (o *Opener) derive(e *Envelope) (cipher.AEAD, error) {
	ephemeral := [ephemeralSize]byte(e.Key[1+8:])
	shared, public, err := o.keys.Agree(e.PrekeyID(), ephemeral)
	if err != nil {
		return nil, err
	}
	return newAEAD(shared, ephemeral, public, e.From, e.To)
}
