package envelope

import (
	"crypto/ecdh"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
)

// privateHalves is an Agreement over keys held in memory.
type privateHalves map[PrekeyID]*ecdh.PrivateKey

func (h privateHalves) Agree(id PrekeyID, ephemeral [32]byte) (shared, public [32]byte, err error) {
	private := h[id]
	if private == nil {
		return shared, public, errors.New("no such prekey")
	}
	other, err := ecdh.X25519().NewPublicKey(ephemeral[:])
	if err != nil {
		return shared, public, err
	}
	s, err := private.ECDH(other)
	if err != nil {
		return shared, public, err
	}
	return [32]byte(s), [32]byte(private.PublicKey().Bytes()), nil
}

// identityHalf returns the X25519 private key that belongs to an Ed25519 seed.
func identityHalf(seed []byte) *ecdh.PrivateKey {
	h := sha512.Sum512(seed)
	return x25519(h[:32])
}

func x25519(b []byte) *ecdh.PrivateKey {
	k, err := ecdh.X25519().NewPrivateKey(b)
	if err != nil {
		panic(err)
	}
	return k
}

var (
	fixedPrekey    = x25519(fixed.Bytes(0x70, 32))
	fixedPrekeyID  = prekeyID(fixedPrekey)
	fixedEphemeral = x25519(fixed.Bytes(0x90, 32))
)

func prekeyID(private *ecdh.PrivateKey) PrekeyID {
	h := sha256.Sum256(private.PublicKey().Bytes())
	return PrekeyID(h[:8])
}

// fixedID returns a UUIDv7 of the fixed time, whose random bits count up.
func fixedID(first byte) ID {
	s := idSource{}
	s.restart(uint64(fixed.Created.UnixMilli()), [12]byte(fixed.Bytes(first, 12)))
	return s.id()
}

// now is a clock that stands.
func now() time.Time { return fixed.Created }

func toPrekey() Recipient {
	return Recipient{
		Node:   fixed.Recipient().Public(),
		Prekey: fixedPrekeyID,
		Public: [32]byte(fixedPrekey.PublicKey().Bytes()),
	}
}

// recipientHalves are all private keys of the fixed recipient.
func recipientHalves() privateHalves {
	return privateHalves{fixedPrekeyID: fixedPrekey, {}: identityHalf(fixed.RecipientSeed)}
}

func fixedOpener() *Opener {
	return NewOpener(fixed.Recipient().Public(), recipientHalves(), now)
}

// sealed returns n signed envelopes of 256 bytes of plaintext.
func sealed(t testing.TB, s *Sealer, n int) []*Envelope {
	t.Helper()
	es := make([]*Envelope, n)
	for i := range es {
		e, err := s.Seal(toPrekey(), NewID(now()), now(), MaxLifetime, fixed.Bytes(byte(i), 256))
		if err != nil {
			t.Fatal(err)
		}
		es[i] = e
	}
	Sign(fixed.Author(), es)
	return es
}

func fixedSealer() *Sealer { return NewSealer(fixed.Author().Public(), now) }

// reparsed returns an envelope as its receiver sees it.
func reparsed(t testing.TB, e *Envelope) *Envelope {
	t.Helper()
	got, err := Parse(e.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func verify(e *Envelope) error { return NewVerifier(protocols.Main).Verify(e) }
