package envelope

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func TestWhatIsSealedIsOpened(t *testing.T) {
	t.Parallel()
	identity, err := IdentityRecipient(fixed.Recipient().Public())
	if err != nil {
		t.Fatal(err)
	}
	s, o := fixedSealer(), fixedOpener()
	rapid.Check(t, func(t *rapid.T) {
		to := rapid.SampledFrom([]Recipient{toPrekey(), identity}).Draw(t, "to")
		text := rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(t, "plaintext")
		lifetime := time.Duration(rapid.IntRange(1, 86_400).Draw(t, "lifetime")) * time.Second
		e, err := s.Seal(to, NewID(now()), now(), lifetime, text)
		if err != nil {
			t.Fatal(err)
		}
		Sign(fixed.Author(), []*Envelope{e})
		e.Via, e.Hops = relays(rapid.IntRange(0, MaxHops).Draw(t, "relays")), uint8(rapid.IntRange(0, MaxHops).Draw(t, "hops"))
		got, err := Parse(e.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		opened, err := o.Open(got)
		if err != nil || !bytes.Equal(opened, text) {
			t.Fatalf("opened %x, %v", opened, err)
		}
		if got.Digest() != e.Digest() || verify(got) != nil || got.CheckTime(now()) != nil {
			t.Fatal("the envelope has changed on its way")
		}
		if got.PrekeyID().Identity() != (to == identity) || got.End() != now().Add(lifetime) || !slices.Equal(got.Via, e.Via) {
			t.Fatal("a field has changed on its way")
		}
	})
}

// Every bit counts: of the signed fields and the proof none can be changed,
// whoever knows the root of the batch.
func TestNoBitMayBeChanged(t *testing.T) {
	t.Parallel()
	es := sealed(t, fixedSealer(), 3)
	v := NewVerifier(protocols.Main)
	for _, e := range es {
		if err := v.Verify(e); err != nil {
			t.Fatal(err)
		}
	}
	es[1].Via = nil
	whole := es[1].Append(nil)
	covered := len(whole) - 2 // via and hops are not
	rapid.Check(t, func(t *rapid.T) {
		bit := rapid.IntRange(8, covered*8-1).Draw(t, "bit")
		b := bytes.Clone(whole)
		b[bit/8] ^= 1 << (bit % 8)
		if e, err := Parse(b); err == nil && v.Verify(e) == nil {
			t.Fatalf("bit %d of byte %d may be changed", bit%8, bit/8)
		}
	})
}

func TestTheLongestPlaintextFitsWithBatchProofAndRelays(t *testing.T) {
	t.Parallel()
	s := fixedSealer()
	e, err := s.Seal(toPrekey(), NewID(now()), time.UnixMilli(maxMillis), MaxLifetime, make([]byte, MaxPlaintext))
	if err != nil {
		t.Fatal(err)
	}
	e.Proof = slices.Concat([]byte{1, 4, 0}, make([]byte, maxProof-3))
	e.Via, e.Hops = relays(MaxHops), MaxHops
	b := e.Append(nil)
	if len(b) > MaxSize {
		t.Errorf("%d bytes", len(b))
	}
	if _, err := Parse(b); err != nil {
		t.Error(err)
	}
	_, err = s.Seal(toPrekey(), NewID(now()), now(), MaxLifetime, make([]byte, MaxPlaintext+1))
	var large TooLargeError
	if !errors.As(err, &large) || large.Size != MaxSize+1 || large.Limit != MaxSize {
		t.Errorf("one byte more: %v", err)
	}
}

func TestSealRefusesWhatParseWould(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		created  time.Time
		lifetime time.Duration
	}{
		"no lifetime":      {now(), 0},
		"too short":        {now(), time.Second - 1},
		"too long":         {now(), MaxLifetime + 1},
		"before the epoch": {time.UnixMilli(-1), time.Minute},
		"too late":         {time.UnixMilli(maxMillis + 1), time.Minute},
	} {
		if _, err := fixedSealer().Seal(toPrekey(), ID{}, c.created, c.lifetime, nil); err == nil {
			t.Errorf("%s: sealed", name)
		}
	}
}

func TestSealRefusesKeysOfSmallOrder(t *testing.T) {
	t.Parallel()
	to := toPrekey()
	for _, public := range [][32]byte{{}, {1}} {
		to.Public = public
		if _, err := fixedSealer().Seal(to, ID{}, now(), time.Minute, nil); err == nil {
			t.Errorf("sealed to %x", public)
		}
	}
	if _, err := IdentityRecipient(protocols.Key{1}); err == nil {
		t.Error("an identity of small order has a key to seal to")
	}
}

func ephemeralOf(t *testing.T, s *Sealer, to Recipient) string {
	t.Helper()
	e, err := s.Seal(to, ID{}, now(), time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(e.Key)
}

func TestAnEphemeralLastsTenMinutes(t *testing.T) {
	t.Parallel()
	c := &clock{t: fixed.Created}
	s := NewSealer(fixed.Author().Public(), c.now)
	first := ephemeralOf(t, s, toPrekey())
	c.advance(ephemeralLife - 1)
	if ephemeralOf(t, s, toPrekey()) != first {
		t.Error("another ephemeral within ten minutes")
	}
	c.advance(1)
	second := ephemeralOf(t, s, toPrekey())
	if second == first {
		t.Error("the same ephemeral after ten minutes")
	}
	c.advance(-24 * time.Hour)
	if ephemeralOf(t, s, toPrekey()) == second {
		t.Error("a clock set back prolongs an ephemeral's life")
	}
}

func TestAnEphemeralServes4096Envelopes(t *testing.T) {
	t.Parallel()
	s := fixedSealer()
	uses := map[string]int{}
	for range ephemeralUses + 1 {
		uses[ephemeralOf(t, s, toPrekey())]++
	}
	if len(uses) != 2 || max(uses[ephemeralOf(t, s, toPrekey())], 1) != 1 {
		t.Errorf("used so often: %v", len(uses))
	}
}

func TestEveryPrekeyGetsItsOwnEphemeral(t *testing.T) {
	t.Parallel()
	s, other := fixedSealer(), toPrekey()
	other.Public = [32]byte(x25519(fixed.Bytes(1, 32)).PublicKey().Bytes())
	if a, b := ephemeralOf(t, s, toPrekey()), ephemeralOf(t, s, other); a[9:] == b[9:] {
		t.Error("one ephemeral towards two prekeys")
	}
}

func TestForgottenRecipientsGetANewEphemeral(t *testing.T) {
	t.Parallel()
	s := fixedSealer()
	first := ephemeralOf(t, s, toPrekey())
	s.Forget(fixed.Other().Public())
	if ephemeralOf(t, s, toPrekey()) != first {
		t.Error("another node was forgotten, this one's ephemeral changed")
	}
	s.Forget(toPrekey().Node)
	if ephemeralOf(t, s, toPrekey()) == first {
		t.Error("the ephemeral outlived Forget")
	}
}

func TestTheSealerRemembersABoundedNumberOfKeys(t *testing.T) {
	t.Parallel()
	s := fixedSealer()
	to := toPrekey()
	for i := range maxSealKeys + 100 {
		to.Prekey = PrekeyID{byte(i), byte(i >> 8)}
		ephemeralOf(t, s, to)
	}
	if n := len(s.keys); n != maxSealKeys {
		t.Errorf("%d keys", n)
	}
}

func TestManyMaySealAtOnce(t *testing.T) {
	t.Parallel()
	s, o := fixedSealer(), fixedOpener()
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			for _, e := range sealed(t, s, 20) {
				if _, err := o.Open(reparsed(t, e)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done.Wait()
}

func TestNoNonceIsUsedTwice(t *testing.T) {
	t.Parallel()
	s, seen := fixedSealer(), map[string]bool{}
	for _, e := range sealed(t, s, 1000) {
		nonce := string(e.Body[:nonceSize])
		if seen[nonce] {
			t.Fatal("a nonce was used twice")
		}
		seen[nonce] = true
	}
}
