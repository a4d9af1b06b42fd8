package identity

import (
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

// prekeyDays is for how many days, today included, prekeys are published.
const prekeyDays = 8

// ErrNoPrekey says that the private half of a prekey is not here: destroyed,
// lost, or never made.
var ErrNoPrekey = errors.New("prekey is not here")

type prekey struct {
	day     uint32
	id      envelope.PrekeyID
	private *ecdh.PrivateKey
}

func newPrekey(day uint32, private []byte) (prekey, error) {
	key, err := ecdh.X25519().NewPrivateKey(private)
	if err != nil {
		return prekey{}, err
	}
	k := prekey{day: day, private: key}
	k.id = prekeys.ID(k.public())
	return k, nil
}

func (k prekey) public() [32]byte { return [32]byte(k.private.PublicKey().Bytes()) }

// dead says that the private half may no longer exist: its day is long over, or
// so far ahead, after a leap of the clock, that no peer accepts it.
func (k prekey) dead(now time.Time) bool {
	return !now.Before(prekeys.DeathOf(k.day)) || k.day > prekeys.DayOf(now)+prekeyDays
}

// Rotate makes the prekeys that are missing for the coming days and destroys
// those past their time, on disk and in memory. destroyed names these, for
// caches of what was derived from them; changed says that Record is another.
// After an error nothing has changed: call again.
func (v *Vault) Rotate(now time.Time) (destroyed []envelope.PrekeyID, changed bool, err error) {
	v.writing.Lock()
	defer v.writing.Unlock()
	if v.closed {
		return nil, false, errClosed
	}
	next, destroyed, changed, err := v.held.rotated(now)
	if err != nil || (!changed && destroyed == nil) {
		return nil, false, err
	}
	if err := v.replace(next.touched(now)); err != nil {
		return nil, false, err
	}
	return destroyed, changed, nil
}

// rotated returns the secrets after a rotation.
func (s *secrets) rotated(now time.Time) (next *secrets, destroyed []envelope.PrekeyID, changed bool, err error) {
	next = s.clone()
	next.prekeys = nil
	have := make(map[uint32]bool)
	for _, k := range s.prekeys {
		if k.dead(now) {
			destroyed = append(destroyed, k.id)
			continue
		}
		next.prekeys = append(next.prekeys, k)
		have[k.day] = true
	}
	today := prekeys.DayOf(now)
	for day := today; day < today+prekeyDays; day++ {
		if have[day] {
			continue
		}
		k, err := makePrekey(day)
		if err != nil {
			return nil, nil, false, err
		}
		next.prekeys = append(next.prekeys, k)
		changed = true
	}
	slices.SortFunc(next.prekeys, func(a, b prekey) int { return int(a.day) - int(b.day) })
	if changed {
		next.made = max(s.made+1, uint64(now.UnixMilli()))
	}
	return next, destroyed, changed, nil
}

func makePrekey(day uint32) (prekey, error) {
	var private [32]byte
	defer clear(private[:])
	rand.Read(private[:]) // never fails
	k, err := newPrekey(day, private[:])
	if err != nil {
		return prekey{}, fmt.Errorf("make prekey: %w", err)
	}
	return k, nil
}

// Record returns the signed record of the prekeys that senders may use from the
// last rotation on. Its made-at grows with every change, also over restarts,
// and is the same as long as the keys are.
func (v *Vault) Record(s protocols.Signer) ([]byte, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.closed {
		return nil, errClosed
	}
	made := time.UnixMilli(int64(v.held.made))
	today := prekeys.DayOf(made)
	var keys []prekeys.DayKey
	for _, k := range v.held.prekeys {
		if k.day >= today && k.day < today+prekeyDays {
			keys = append(keys, prekeys.DayKey{Day: k.day, Public: k.public()})
		}
	}
	return prekeys.Sign(s, made, keys), nil
}

// Agree does the Diffie-Hellman of a received envelope: the private half of the
// prekey id, or of the identity for the zero id, with the sender's ephemeral
// key. It returns the shared secret and the public half that was used. The
// error is ErrNoPrekey if that key is not here; a shared secret of zeros is
// refused.
func (v *Vault) Agree(id envelope.PrekeyID, ephemeral [32]byte) (shared, public [32]byte, err error) {
	remote, err := ecdh.X25519().NewPublicKey(ephemeral[:])
	if err != nil {
		return shared, public, fmt.Errorf("ephemeral key: %w", err)
	}
	v.mu.RLock() // over the whole agreement: a rotation must not wipe the key under it
	defer v.mu.RUnlock()
	private, err := v.private(id)
	if err != nil {
		return shared, public, err
	}
	secret, err := private.ECDH(remote)
	if err != nil {
		return shared, public, fmt.Errorf("agree with ephemeral key: %w", err)
	}
	defer clear(secret)
	return [32]byte(secret), [32]byte(private.PublicKey().Bytes()), nil
}

func (v *Vault) private(id envelope.PrekeyID) (*ecdh.PrivateKey, error) {
	if v.closed {
		return nil, errClosed
	}
	if id == (envelope.PrekeyID{}) {
		return v.me.x25519, nil
	}
	for _, k := range v.held.prekeys {
		if k.id == id {
			return k.private, nil
		}
	}
	return nil, ErrNoPrekey
}
