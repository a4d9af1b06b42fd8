package senderkey

import (
	"errors"
	"io"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/tom-protocol/tom/groups/wire"
)

// Bounds of a chain.
const (
	MaxAge      = 24 * time.Hour
	MaxMessages = wire.MaxIndex // their indices are below it
)

// MaxPlaintext is the length of the longest plaintext that fits a record with
// the longest proof, in bytes.
const MaxPlaintext = wire.MaxRecord - 1024

// ErrWorn is returned for a chain with no keys left.
var ErrWorn = errors.New("the chain has no keys left")

// ErrTooLarge is returned for a plaintext that no record could carry.
var ErrTooLarge = errors.New("too large for a record")

// Roster names the roster that a chain is made for.
type Roster struct {
	Version wire.RosterVersion
	Hash    wire.RosterHash
}

// State is a chain as it goes to disk: the next key it gives, and nothing that
// was used. A message must not leave before the state behind it is there.
type State struct {
	Chain  wire.ChainID
	Roster Roster
	Index  wire.Index // of the next message
	Secret [32]byte
	Begun  time.Time
}

// Sending is an author's own chain.
type Sending struct{ state State }

// Begin makes a chain for a roster out of 48 bytes of randomness.
func Begin(random io.Reader, roster Roster, now time.Time) (*Sending, error) {
	var b [16 + 32]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return nil, err
	}
	return &Sending{State{Chain: wire.ChainID(b[:16]), Roster: roster, Secret: [32]byte(b[16:]), Begun: now}}, nil
}

// Resume makes the chain that a state was taken of.
func Resume(s State) *Sending { return &Sending{s} }

// State returns the chain as it is to be kept.
func (s *Sending) State() State { return s.state }

// Ahead returns the chain as it is to be kept if up to n more messages are to be
// sealed before it is kept again: their keys are given up in it already.
func (s *Sending) Ahead(n int) State {
	x := s.state
	for ; n > 0 && x.Index < MaxMessages; n-- {
		x.Secret, x.Index = secret(x.Secret).next(), x.Index+1
	}
	return x
}

// Worn says whether another chain is due: it is a day old, or used up, or the
// roster lost a member at version removal, after the chain was made. A chain
// from the future is as good as an old one: the clock went back.
func (s *Sending) Worn(now time.Time, removal wire.RosterVersion) bool {
	age := now.Sub(s.state.Begun)
	return age >= MaxAge || age <= -MaxAge || s.state.Index >= MaxMessages || s.state.Roster.Version < removal
}

// Seal encrypts a plaintext as the payload of a record and goes on to the next
// key.
func (s *Sending) Seal(r Record, plaintext []byte) (*wire.Message, error) {
	if s.state.Index >= MaxMessages {
		return nil, ErrWorn
	}
	if len(plaintext) > MaxPlaintext {
		return nil, ErrTooLarge
	}
	m := &wire.Message{Chain: s.state.Chain, Index: s.state.Index, Roster: s.state.Roster.Version}
	state := secret(s.state.Secret)
	m.Ciphertext = state.key().aead().Seal(
		make([]byte, 0, len(plaintext)+chacha20poly1305.Overhead), r.nonce(), plaintext, r.aad(m.Chain, m.Index, s.state.Roster.Hash))
	s.state.Secret = state.next()
	s.state.Index++
	return m, nil
}

// Key returns what a member needs to open the messages from now on, and none
// before. The caller adds group, head and topic secret.
func (s *Sending) Key() wire.SenderKey {
	return wire.SenderKey{
		Chain: s.state.Chain, Roster: s.state.Roster.Version, RosterHash: s.state.Roster.Hash,
		Index: s.state.Index, State: s.state.Secret,
	}
}
