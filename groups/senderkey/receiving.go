package senderkey

import (
	"errors"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
)

// MaxSkipped is how many keys an owner's chains may keep for messages that have
// not come while later ones have.
const MaxSkipped = 256

// The outcomes of Open but success.
var (
	ErrNoKey = errors.New("the key has not come yet")                    // wait and ask for it
	ErrPast  = errors.New("the key was used or given up")                // never readable here
	ErrBound = errors.New("an index out of bounds")                      // never readable
	ErrAEAD  = errors.New("the ciphertext is not of its key and record") // never readable
)

// Skipped is the key of a message that may still come.
type Skipped struct {
	Index wire.Index
	Key   [32]byte
	Since time.Time
}

// Receiving is a chain of another member, as it is held and kept.
type Receiving struct {
	State
	Skipped   []Skipped // by ascending index
	Elsewhere bool      // made for a roster that this node's version of it was never: another branch's, or a forked hub's
}

// open opens a message and, only if that succeeds, forgets its key and all
// before it but those skipped.
func (c *Receiving) open(r Record, m *wire.Message, now time.Time) ([]byte, error) {
	switch {
	case m.Index >= MaxMessages || m.Roster != c.Roster.Version:
		return nil, ErrBound
	case m.Index < c.Index:
		return c.openSkipped(r, m)
	}
	state, skipped := secret(c.Secret), []Skipped(nil)
	for i := c.Index; i < m.Index; i++ {
		if m.Index-i <= MaxSkipped {
			skipped = append(skipped, Skipped{Index: i, Key: state.key(), Since: now})
		}
		state = state.next()
	}
	plain, err := c.decrypt(r, m, state.key())
	if err != nil {
		return nil, err
	}
	c.Secret, c.Index = state.next(), m.Index+1
	c.Skipped = append(c.Skipped, skipped...)
	return plain, nil
}

func (c *Receiving) openSkipped(r Record, m *wire.Message) ([]byte, error) {
	i := slices.IndexFunc(c.Skipped, func(s Skipped) bool { return s.Index == m.Index })
	if i < 0 {
		return nil, ErrPast
	}
	plain, err := c.decrypt(r, m, c.Skipped[i].Key)
	if err == nil {
		c.Skipped[i].Key = secret{}
		c.Skipped = slices.Delete(c.Skipped, i, i+1)
	}
	return plain, err
}

func (c *Receiving) decrypt(r Record, m *wire.Message, key secret) ([]byte, error) {
	plain, err := key.aead().Open(nil, r.nonce(), m.Ciphertext, r.aad(m.Chain, m.Index, c.Roster.Hash))
	if err != nil {
		return nil, ErrAEAD
	}
	return plain, nil
}
