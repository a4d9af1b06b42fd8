package identity

import (
	"crypto/rand"
	"errors"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	nonceLen = chacha20poly1305.NonceSizeX
	// ShredOverhead is by how many bytes Shred lengthens its input.
	ShredOverhead = nonceLen + chacha20poly1305.Overhead

	// shredBlock is how many neighbouring shred keys are made at once.
	shredBlock = 16
	// maxShredSpan is how far ahead an end may lie: the longest lifetime, and the
	// clock difference an envelope may come with.
	maxShredSpan = 24*time.Hour + 5*time.Minute
)

// ErrShredded says that the time of a body is over: the key it was, or would
// be, sealed under is destroyed.
var ErrShredded = errors.New("shredded: its time is over")

var (
	errShredEnd   = errors.New("the end lies further ahead than any message may")
	errShredFull  = errors.New("too many shred keys are alive")
	errShredBytes = errors.New("not sealed under its shred key, or altered")
)

// minuteOf returns the minute in which t falls, and false if it has no number.
func minuteOf(t time.Time) (minute, bool) {
	m := t.Unix() / 60
	return minute(m), t.Unix() >= 0 && m+shredBlock < 1<<32
}

// over says that minute m has passed.
func (m minute) over(now time.Time) bool { return (int64(m)+1)*60_000 <= now.UnixMilli() }

// Shred seals plaintext until end: nonce (24) ‖ XChaCha20-Poly1305. It can be
// read back with Unshred until the minute in which end falls is over, and never
// again. A minute without a key costs a synced rewrite of the vault, its fifteen
// neighbours then none.
func (v *Vault) Shred(end time.Time, plaintext []byte) ([]byte, error) {
	key, err := v.shredKey(end)
	if errors.Is(err, errNoShredKey) {
		if err = v.makeShredKeys(end); err == nil {
			key, err = v.shredKey(end)
		}
	}
	if err != nil {
		return nil, err
	}
	defer clear(key[:])
	b := make([]byte, nonceLen, len(plaintext)+ShredOverhead)
	rand.Read(b) // never fails
	return key.seal(b, plaintext), nil
}

// Unshred opens what Shred returned for the same end. The error is ErrShredded
// if the key is gone.
func (v *Vault) Unshred(end time.Time, sealed []byte) ([]byte, error) {
	if len(sealed) < ShredOverhead {
		return nil, errShredBytes
	}
	key, err := v.shredKey(end)
	if errors.Is(err, errNoShredKey) {
		return nil, ErrShredded
	}
	if err != nil {
		return nil, err
	}
	defer clear(key[:])
	return key.open(sealed)
}

// Expire destroys the shred keys whose minute is over, on disk and in memory.
func (v *Vault) Expire(now time.Time) error {
	v.writing.Lock()
	defer v.writing.Unlock()
	if v.closed {
		return errClosed
	}
	next, any := v.held.expired(now)
	if !any {
		return nil
	}
	return v.replace(next.touched(now))
}

// expired returns the secrets without the shred keys whose time is over, and
// whether there were any.
func (s *secrets) expired(now time.Time) (next *secrets, any bool) {
	next = s.clone()
	for m := range next.shreds {
		if m.over(now) {
			delete(next.shreds, m)
			any = true
		}
	}
	return next, any
}

// errNoShredKey says that there is no key for a minute: destroyed or not made.
var errNoShredKey = errors.New("no shred key")

// shredKey returns a copy of the key for end, which the caller clears.
func (v *Vault) shredKey(end time.Time) (secret, error) {
	m, ok := minuteOf(end)
	if !ok {
		return secret{}, errNoShredKey
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.closed {
		return secret{}, errClosed
	}
	if key := v.held.shreds[m]; key != nil {
		return *key, nil
	}
	return secret{}, errNoShredKey
}

// makeShredKeys makes the key for end and its missing neighbours. They are
// synced before anybody can use them.
func (v *Vault) makeShredKeys(end time.Time) error {
	v.writing.Lock()
	defer v.writing.Unlock()
	if v.closed {
		return errClosed
	}
	now := v.time()
	m, ok := minuteOf(end)
	if !ok || m.over(now) {
		return ErrShredded
	}
	if end.Sub(now) > maxShredSpan {
		return errShredEnd
	}
	if v.held.shreds[m] != nil {
		return nil // somebody made it while we waited
	}
	next := v.held.clone()
	first := m - m%shredBlock
	for n := first; n < first+shredBlock; n++ {
		if next.shreds[n] == nil && !n.over(now) {
			key := new(secret)
			rand.Read(key[:])
			next.shreds[n] = key
		}
	}
	if len(next.shreds) > maxShreds {
		return errShredFull
	}
	return v.replace(next)
}

// seal appends the ciphertext to the nonce, which is all of b.
func (k *secret) seal(b, plaintext []byte) []byte {
	aead, nonce := k.cipher(b)
	return aead.Seal(b, nonce[:], plaintext, nil)
}

func (k *secret) open(sealed []byte) ([]byte, error) {
	aead, nonce := k.cipher(sealed[:nonceLen])
	b, err := aead.Open(nil, nonce[:], sealed[nonceLen:], nil)
	if err != nil {
		return nil, errShredBytes
	}
	return b, nil
}
