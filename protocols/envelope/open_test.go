package envelope

import (
	"errors"
	"testing"

	"github.com/tom-protocol/tom/protocols/internal/fixed"
)

// counted counts how often keys were agreed on.
type counted struct {
	privateHalves
	agreed int
}

func (c *counted) Agree(id PrekeyID, ephemeral [32]byte) (shared, public [32]byte, err error) {
	c.agreed++
	return c.privateHalves.Agree(id, ephemeral)
}

func countingOpener() (*Opener, *counted, *clock) {
	keys, c := &counted{privateHalves: recipientHalves()}, &clock{t: fixed.Created}
	return NewOpener(fixed.Recipient().Public(), keys, c.now), keys, c
}

func open(t *testing.T, o *Opener, es ...*Envelope) {
	t.Helper()
	for _, e := range es {
		if _, err := o.Open(e); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAConversationCostsOneAgreement(t *testing.T) {
	t.Parallel()
	o, keys, _ := countingOpener()
	open(t, o, sealed(t, fixedSealer(), 100)...)
	if keys.agreed != 1 {
		t.Errorf("agreed %d times", keys.agreed)
	}
}

func TestADerivedKeyIsForgottenInTime(t *testing.T) {
	t.Parallel()
	o, keys, c := countingOpener()
	e := sealed(t, fixedSealer(), 1)[0]
	open(t, o, e)
	c.advance(openLife - 1)
	open(t, o, e)
	if keys.agreed != 1 {
		t.Errorf("agreed %d times within the time", keys.agreed)
	}
	c.advance(1)
	open(t, o, e)
	if keys.agreed != 2 {
		t.Errorf("agreed %d times after it", keys.agreed)
	}
}

func TestADerivedKeyDiesWithItsPrekey(t *testing.T) {
	t.Parallel()
	o, keys, _ := countingOpener()
	e := sealed(t, fixedSealer(), 1)[0]
	open(t, o, e)
	delete(keys.privateHalves, fixedPrekeyID)
	o.Forget(PrekeyID{9})
	open(t, o, e) // still remembered
	o.Forget(fixedPrekeyID)
	if _, err := o.Open(e); !errors.Is(err, ErrUnopenable) {
		t.Errorf("opened without its prekey: %v", err)
	}
}

func TestOneAuthorCannotFillTheMemory(t *testing.T) {
	t.Parallel()
	o, _, _ := countingOpener()
	for range 3 * openLimits.PerAuthor {
		open(t, o, sealed(t, fixedSealer(), 1)...) // each sealer has its own ephemeral
	}
	if n := o.derived.Len(); n != openLimits.PerAuthor {
		t.Errorf("%d keys remembered", n)
	}
}

func TestNothingIsRememberedOfWhatCannotBeAgreedOn(t *testing.T) {
	t.Parallel()
	o, keys, _ := countingOpener()
	clear(keys.privateHalves)
	if _, err := o.Open(sealed(t, fixedSealer(), 1)[0]); !errors.Is(err, ErrUnopenable) {
		t.Errorf("got %v", err)
	}
	if o.derived.Len() != 0 {
		t.Error("something is remembered")
	}
}
