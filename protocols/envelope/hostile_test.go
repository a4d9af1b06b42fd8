package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
	"github.com/tom-protocol/tom/protocols/internal/golden"
	"github.com/tom-protocol/tom/protocols/proof"
)

// goldenRefused is an envelope that must be refused, and by which step.
type goldenRefused struct {
	Name     string     `json:"name"`
	Step     string     `json:"refused_by"` // parse, verify, time or open
	At       uint64     `json:"at"`         // the reader's time, ms since the epoch
	Envelope golden.Hex `json:"envelope"`
}

// elements takes an envelope's array apart.
func elements(t *testing.T, b []byte) [][]byte {
	t.Helper()
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	all := make([][]byte, n)
	for i := range all {
		left, err := msgp.Skip(b)
		if err != nil {
			t.Fatal(err)
		}
		all[i], b = b[:len(b)-len(left)], left
	}
	return all
}

func joined(elements [][]byte) []byte {
	return slices.Concat(msgp.AppendArrayHeader(nil, uint32(len(elements))), slices.Concat(elements...))
}

// base is the envelope that the hostile ones are made from.
func base(t *testing.T) *Envelope {
	t.Helper()
	r := recipe{
		network: protocols.Main, prekey: fixedPrekey, prekeyID: fixedPrekeyID,
		nonce: 0xa0, lifetime: MaxLifetime, plaintext: plaintext(),
	}
	e := r.envelope(t)
	Sign(fixed.Author(), []*Envelope{e})
	return e
}

// with returns the base envelope with one element replaced, the signature as
// it was.
func with(t *testing.T, index int, element []byte) []byte {
	t.Helper()
	all := elements(t, base(t).Append(nil))
	all[index] = element
	return joined(all)
}

// resigned is like with, signed anew by its author, whoever that is.
func resigned(t *testing.T, s protocols.Signer, index int, element []byte) []byte {
	t.Helper()
	all := elements(t, base(t).Append(nil))
	all[index] = element
	sig := s.Sign(protocols.TagEnvelope, slices.Concat(all[:8]...))
	all[8] = bin(append([]byte{0}, sig[:]...))
	return joined(all)
}

func bin(b []byte) []byte        { return msgp.AppendBytes(nil, b) }
func number(u uint64) []byte     { return msgp.AppendUint64(nil, u) }
func key(k protocols.Key) []byte { return bin(k[:]) }

func via(keys ...protocols.Key) []byte {
	b := msgp.AppendArrayHeader(nil, uint32(len(keys)))
	for _, k := range keys {
		b = append(b, key(k)...)
	}
	return b
}

// relays are n usable keys.
func relays(n int) []protocols.Key {
	all := make([]protocols.Key, n)
	for i := range all {
		all[i] = fixed.Signer(protocols.Main, fixed.Bytes(byte(i), 32)).Public()
	}
	return all
}

func hostile(t *testing.T) []goldenRefused {
	t.Helper()
	whole := base(t).Append(nil)
	millis := uint64(fixed.Created.UnixMilli())
	field6 := base(t).Key
	changed := func(b []byte, at int, to byte) []byte {
		b = bytes.Clone(b)
		b[at] = to
		return b
	}
	author, other := fixed.Author(), fixed.Other()
	body := base(t).Body
	return []goldenRefused{
		{"empty", "parse", millis, nil},
		{"not an array", "parse", millis, []byte{0xc0}},
		{"truncated by one byte", "parse", millis, whole[:len(whole)-1]},
		{"truncated in the body", "parse", millis, whole[:300]},
		{"a byte behind the end", "parse", millis, append(bytes.Clone(whole), 0)},
		{"ten fields", "parse", millis, joined(elements(t, whole)[:10])},
		{"version 0", "parse", millis, with(t, 0, number(0))},
		{"version 2", "parse", millis, with(t, 0, number(2))},
		{"version as text", "parse", millis, with(t, 0, msgp.AppendString(nil, "1"))},
		{"id of 15 bytes", "parse", millis, with(t, 1, bin(make([]byte, 15)))},
		{"id of 17 bytes", "parse", millis, with(t, 1, bin(make([]byte, 17)))},
		{"from of 31 bytes", "parse", millis, with(t, 2, bin(make([]byte, 31)))},
		{"from of small order", "parse", millis, with(t, 2, key(protocols.Key{1}))},
		{"from not canonical", "parse", millis, with(t, 2, key(protocols.Key(slices.Concat([]byte{0xee}, slices.Repeat([]byte{0xff}, 30), []byte{0x7f}))))},
		{"to of small order", "parse", millis, with(t, 3, key(protocols.Key{}))},
		{"created negative", "parse", millis, with(t, 4, msgp.AppendInt64(nil, -1))},
		{"created beyond 2^48", "parse", millis, with(t, 4, number(1<<48))},
		{"created beyond 2^63", "parse", millis, with(t, 4, number(1<<63))},
		{"created in a longer form", "parse", millis, resigned(t, author, 4, slices.Concat([]byte{0xd3}, number(millis)[1:]))},
		{"lifetime 0", "parse", millis, with(t, 5, number(0))},
		{"lifetime over a day", "parse", millis, with(t, 5, number(86401))},
		{"lifetime of 2^32", "parse", millis, with(t, 5, number(1<<32))},
		{"suite 0", "parse", millis, with(t, 6, bin(changed(field6, 0, 0)))},
		{"suite 2", "parse", millis, with(t, 6, bin(changed(field6, 0, 2)))},
		{"key too short", "parse", millis, with(t, 6, bin(field6[:40]))},
		{"key too long", "parse", millis, with(t, 6, bin(append(bytes.Clone(field6), 0)))},
		{"key in a longer form", "parse", millis, resigned(t, author, 6, slices.Concat([]byte{0xc5, 0}, bin(field6)[1:]))},
		{"body without tag", "parse", millis, with(t, 7, bin(body[:39]))},
		{"body in a longer form", "parse", millis, resigned(t, author, 7, slices.Concat([]byte{0xc6, 0, 0}, bin(body)[1:]))},
		{"body that claims 4 GiB", "parse", millis, with(t, 7, slices.Concat([]byte{0xc6, 0xff, 0xff, 0xff, 0xff}, body))},
		{"body as text", "parse", millis, with(t, 7, msgp.AppendString(nil, string(body)))},
		{"no proof", "parse", millis, with(t, 8, bin(nil))},
		{"proof of an unknown kind", "parse", millis, with(t, 8, bin(changed(base(t).Proof, 0, 2)))},
		{"proof too short", "parse", millis, with(t, 8, bin(base(t).Proof[:64]))},
		{"proof nil", "parse", millis, with(t, 8, []byte{0xc0})},
		{"five relays", "parse", millis, with(t, 9, via(relays(5)...))},
		{"a relay twice", "parse", millis, with(t, 9, via(relays(1)[0], relays(1)[0]))},
		{"a relay of small order", "parse", millis, with(t, 9, via(protocols.Key{}))},
		{"four billion relays", "parse", millis, with(t, 9, []byte{0xdd, 0xff, 0xff, 0xff, 0xff})},
		{"hops negative", "parse", millis, with(t, 10, msgp.AppendInt64(nil, -1))},
		{"a map behind the end", "parse", millis, joined(append(elements(t, whole), []byte{0x80}))},

		{"another id", "verify", millis, with(t, 1, bin(fixed.Bytes(1, 16)))},
		{"another author", "verify", millis, with(t, 2, key(other.Public()))},
		{"another recipient", "verify", millis, with(t, 3, key(other.Public()))},
		{"another time", "verify", millis, with(t, 4, number(millis+1))},
		{"another lifetime", "verify", millis, with(t, 5, number(60))},
		{"another prekey", "verify", millis, with(t, 6, bin(changed(field6, 3, 9)))},
		{"another ephemeral", "verify", millis, with(t, 6, bin(changed(field6, 20, 9)))},
		{"another nonce", "verify", millis, with(t, 7, bin(changed(body, 3, 9)))},
		{"another ciphertext", "verify", millis, with(t, 7, bin(changed(body, 50, body[50]^1)))},
		{"another signature", "verify", millis, with(t, 8, bin(changed(base(t).Proof, 9, base(t).Proof[9]^1)))},
		{"signed by another", "verify", millis, resigned(t, other, 10, number(0))},
		{"signed for another network", "verify", millis, resigned(t, fixed.Signer("test", fixed.AuthorSeed), 10, number(0))},

		{"created 5 minutes and 1 ms ahead", "time", millis, resigned(t, author, 4, number(millis+300_001))},
		{"ended 1 ms ago", "time", millis, resigned(t, author, 4, number(millis-86_400_001))},

		{"stripped and signed by another in its own name", "open", millis, stolen(t)},
		{"id changed and signed anew", "open", millis, resigned(t, author, 1, bin(fixed.Bytes(1, 16)))},
		{"lifetime changed and signed anew", "open", millis, resigned(t, author, 5, number(60))},
		{"unknown prekey", "open", millis, resigned(t, author, 6, bin(changed(field6, 3, 9)))},
		{"ephemeral of small order", "open", millis, resigned(t, author, 6, bin(append(bytes.Clone(field6[:9]), make([]byte, 32)...)))},
		{"ciphertext changed and signed anew", "open", millis, resigned(t, author, 7, bin(changed(body, 50, body[50]^1)))},
		{"for another recipient", "open", millis, resigned(t, author, 3, key(other.Public()))},
	}
}

// stolen is the base envelope with the author's name and proof replaced by
// another's.
func stolen(t *testing.T) []byte {
	t.Helper()
	all := elements(t, base(t).Append(nil))
	thief := fixed.Other()
	all[2] = key(thief.Public())
	sig := thief.Sign(protocols.TagEnvelope, slices.Concat(all[:8]...))
	all[8] = bin(append([]byte{0}, sig[:]...))
	return joined(all)
}

// receive takes an envelope through all steps and names the one that refuses.
func receive(b []byte, now time.Time) (step string, err error) {
	e, err := Parse(b)
	if err != nil {
		return "parse", err
	}
	if err := verify(e); err != nil {
		return "verify", err
	}
	if err := e.CheckTime(now); err != nil {
		return "time", err
	}
	if _, err := fixedOpener().Open(e); err != nil {
		return "open", err
	}
	return "", nil
}

func TestHostileEnvelopesAreRefused(t *testing.T) {
	t.Parallel()
	known := map[string][]error{
		"parse": {ErrForm, ErrVersion}, "verify": {proof.ErrProof}, "time": {ErrClock}, "open": {ErrUnopenable},
	}
	for _, h := range golden.Check(t, "refused.json", hostile(t)) {
		step, err := receive(h.Envelope, fixed.Created)
		if step != h.Step {
			t.Errorf("%s: refused by %q (%v), want %q", h.Name, step, err, h.Step)
		}
		if !slices.ContainsFunc(known[step], func(k error) bool { return errors.Is(err, k) }) {
			t.Errorf("%s: %v", h.Name, err)
		}
	}
}

// goldenTolerated is an envelope in another form than ours that must be taken.
type goldenTolerated struct {
	Name     string     `json:"name"`
	Envelope golden.Hex `json:"envelope"`
	Known    golden.Hex `json:"known"` // what is forwarded and stored of it
}

func TestUnknownFieldsAreToleratedAndNotPassedOn(t *testing.T) {
	t.Parallel()
	whole := base(t).Append(nil)
	all := elements(t, whole)
	more := func(extra ...[]byte) []byte { return joined(append(slices.Clone(all), extra...)) }
	cases := []goldenTolerated{
		{"as it is", whole, whole},
		{"a twelfth field", more(number(7)), whole},
		{"sixteen fields, a longer header", more(number(1), bin(nil), []byte{0xc0}, []byte{0xc3}, []byte{0x92, 1, 2}), whole},
		{"hops 200 are read as 4", with(t, 10, number(200)), with(t, 10, number(4))},
		{"four relays", with(t, 9, via(relays(4)...)), with(t, 9, via(relays(4)...))},
	}
	for _, c := range golden.Check(t, "tolerated.json", cases) {
		if step, err := receive(c.Envelope, fixed.Created); err != nil {
			t.Errorf("%s: %s: %v", c.Name, step, err)
			continue
		}
		e, err := Parse(c.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(e.Append(nil), c.Known) {
			t.Errorf("%s: passed on as %x", c.Name, e.Append(nil))
		}
		if e.Digest() != base(t).Digest() {
			t.Errorf("%s: another digest", c.Name)
		}
	}
}

func TestNoPrefixOfAnEnvelopeIsOne(t *testing.T) {
	t.Parallel()
	whole := base(t).Append(nil)
	for n := range whole {
		if _, err := Parse(whole[:n]); err == nil {
			t.Fatalf("%d of %d bytes parse", n, len(whole))
		}
	}
}

func TestOversizedEnvelopesAreRefusedUnread(t *testing.T) {
	t.Parallel()
	_, err := Parse(make([]byte, MaxSize+1))
	var large TooLargeError
	if !errors.As(err, &large) || large != (TooLargeError{Size: MaxSize + 1, Limit: MaxSize}) || !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestTheClockWindowIsExact(t *testing.T) {
	t.Parallel()
	e := &Envelope{Created: uint64(fixed.Created.UnixMilli()), Lifetime: 60}
	for offset, ok := range map[time.Duration]bool{
		-ClockSkew: true, -ClockSkew - 1: false, 0: true, time.Minute: true, time.Minute + 1: false,
	} {
		if err := e.CheckTime(fixed.Created.Add(offset)); (err == nil) != ok {
			t.Errorf("at %v: %v", offset, err)
		}
	}
	if e.End() != fixed.Created.Add(time.Minute) {
		t.Errorf("ends %v", e.End())
	}
}

// A flood of many small elements must cost no more memory than its bytes.
func TestHostileLengthsAllocateNothing(t *testing.T) {
	claims := with(t, 9, []byte{0xdd, 0xff, 0xff, 0xff, 0xff})
	nested := joined(append(elements(t, base(t).Append(nil)), bytes.Repeat([]byte{0x91}, 200_000)))
	for name, b := range map[string][]byte{"claimed relays": claims, "nested arrays": nested} {
		perRun := bytesPerRun(func() {
			if _, err := Parse(b); err == nil {
				t.Error("parsed")
			}
		})
		if limit := uint64(len(b) + 8192); perRun > limit {
			t.Errorf("%s: %d bytes allocated for %d", name, perRun, len(b))
		}
	}
}

// bytesPerRun must not be called while other tests run.
func bytesPerRun(f func()) uint64 {
	const runs = 50
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / runs
}

func ExampleTooLargeError() {
	fmt.Println(TooLargeError{Size: 300000, Limit: MaxSize})
	// Output: an envelope of 300000 bytes is over the limit of 262144
}
