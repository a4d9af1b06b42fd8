package identity

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
	"pgregory.net/rapid"
)

func TestShredIsXChaCha20Poly1305(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := secret(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		nonce := rapid.SliceOfN(rapid.Byte(), nonceLen, nonceLen).Draw(t, "nonce")
		text := rapid.SliceOf(rapid.Byte()).Draw(t, "text")
		aead, err := chacha20poly1305.NewX(key[:])
		if err != nil {
			t.Fatal(err)
		}
		want := aead.Seal(bytes.Clone(nonce), nonce, text, nil)
		if got := key.seal(bytes.Clone(nonce), text); !bytes.Equal(got, want) {
			t.Fatalf("sealed %x\nwant   %x", got, want)
		}
		if got, err := key.open(want); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("opened %x, %v", got, err)
		}
	})
}

func TestBodyIsReadableToItsEndAndAMinuteLaterAtMost(t *testing.T) {
	t.Parallel()
	for _, offset := range []time.Duration{0, time.Millisecond, 29 * time.Second, 59*time.Second + 999*time.Millisecond} {
		d := newDevice(t)
		end := noon.Truncate(time.Minute).Add(3*time.Hour + offset)
		b := d.shred(end, []byte("body"))
		d.set(end)
		d.keepUp()
		if _, err := d.v.Unshred(end, b); err != nil {
			t.Errorf("at its end: %v", err)
		}
		d.set(end.Add(time.Minute))
		d.keepUp()
		if _, err := d.v.Unshred(end, b); !errors.Is(err, ErrShredded) {
			t.Errorf("a minute later: %v", err)
		}
	}
}

func TestShredRefusesEndsThatCannotBe(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	for name, c := range map[string]struct {
		end  time.Time
		want error
	}{
		"past":        {noon.Add(-time.Minute), ErrShredded},
		"before 1970": {time.Unix(-1, 0), ErrShredded},
		"zero":        {time.Time{}, ErrShredded},
		"next year":   {noon.Add(365 * 24 * time.Hour), errShredEnd},
		"far":         {time.Unix(1<<40, 0), ErrShredded},
	} {
		if _, err := d.v.Shred(c.end, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.v.Shred(noon.Add(24*time.Hour+5*time.Minute), nil); err != nil {
		t.Errorf("the last possible end: %v", err)
	}
	if n := len(d.v.held.shreds); n > shredBlock {
		t.Errorf("%d keys were made", n)
	}
}

func TestAlteredBodiesAreRefused(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	end := noon.Add(time.Hour)
	b := d.shred(end, []byte("body"))
	for i := range b {
		if got, err := d.v.Unshred(end, flipped(b, i)); err == nil {
			t.Fatalf("byte %d altered, read %q", i, got)
		}
		if got, err := d.v.Unshred(end, b[:i]); err == nil {
			t.Fatalf("cut to %d bytes, read %q", i, got)
		}
	}
	if got, err := d.v.Unshred(end.Add(time.Minute), b); err == nil {
		t.Errorf("under the neighbour's key: %q", got)
	}
}

func TestADayOfMinutesCostsFewRewrites(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	rewrites, last := 0, d.v.held
	for m := range 24 * 60 {
		d.shred(noon.Add(time.Duration(m)*time.Minute), nil)
		if d.v.held != last {
			rewrites, last = rewrites+1, d.v.held
		}
	}
	if rewrites > 24*60/shredBlock+1 || len(last.shreds) > 24*60+shredBlock {
		t.Errorf("%d rewrites, %d keys", rewrites, len(last.shreds))
	}
}

func TestKeysUnderALeapingClockAreBounded(t *testing.T) {
	t.Parallel()
	v, err := OpenVault("", open(t, t.TempDir()), func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	now := noon
	v.clock = func() time.Time { return now }
	for range 1000 { // nothing is expired: the clock is in doubt
		now = now.Add(24 * time.Hour)
		if _, err = v.Shred(now, nil); err != nil {
			break
		}
	}
	if !errors.Is(err, errShredFull) || len(v.held.shreds) > maxShreds {
		t.Errorf("%d keys, %v", len(v.held.shreds), err)
	}
}

func TestDestroyedKeysAreWiped(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	d.shred(noon.Add(time.Hour), nil)
	shred := d.v.held.shreds[minute(noon.Add(time.Hour).Unix()/60)]
	later := d.v.held.shreds[minute(noon.Add(time.Hour).Unix()/60)+15-minute(noon.Add(time.Hour).Unix()/60)%16]
	prekey := d.v.held.prekeys[0].private
	before := *later
	if *shred == (secret{}) || allZero(prekey.Bytes()) {
		t.Fatal("wiped too early")
	}
	d.set(noon.Add(time.Hour + time.Minute))
	d.keepUp()
	if *shred != (secret{}) {
		t.Error("a dead shred key is still in memory")
	}
	if *later != before {
		t.Error("a living shred key was wiped")
	}
	d.pass(72 * time.Hour)
	d.keepUp()
	if !allZero(prekey.Bytes()) {
		t.Error("a dead prekey is still in memory")
	}
	last := d.v.held.prekeys[0].private
	d.v.Close()
	if !allZero(last.Bytes()) {
		t.Error("closing left a prekey in memory")
	}
}

func allZero(b []byte) bool { return len(b) > 0 && len(bytes.Trim(b, "\x00")) == 0 }

func TestVaultIsUsedFromManySides(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 200 {
				end := d.time().Add(2*time.Hour + time.Duration(n*i)*time.Minute)
				text := fmt.Appendf(nil, "%d/%d", i, n)
				b, err := d.v.Shred(end, text)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := d.v.Unshred(end, b); err != nil || !bytes.Equal(got, text) {
					t.Errorf("got %q, %v", got, err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 60 {
			d.pass(time.Minute)
			if err := errors.Join(d.v.Expire(d.time()), d.v.TouchTime(d.time())); err != nil {
				t.Error(err)
			}
			if _, _, err := d.v.Rotate(d.time()); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
}

func benchVault(b *testing.B) (*Vault, time.Time) {
	v, err := OpenVault("", open(b, b.TempDir()), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { v.Close() })
	return v, time.Now().Add(time.Hour)
}

func BenchmarkShred256(b *testing.B) {
	v, end := benchVault(b)
	text := make([]byte, 256)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Shred(end, text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnshred256(b *testing.B) {
	v, end := benchVault(b)
	s, err := v.Shred(end, make([]byte, 256))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Unshred(end, s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlainXChaCha256(b *testing.B) {
	aead, err := chacha20poly1305.NewX(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	text, nonce := make([]byte, 256), make([]byte, 24)
	b.ReportAllocs()
	for b.Loop() {
		aead.Seal(nil, nonce, text, nil)
	}
}
