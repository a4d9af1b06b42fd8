package senderkey_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/groups/senderkey"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

var (
	start  = time.UnixMilli(1_790_000_000_123)
	alice  = key(1)
	bob    = key(2)
	roster = senderkey.Roster{Version: 4, Hash: wire.RosterHash{4}}
)

func key(n byte) protocols.Key {
	return protocols.Key(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, 32)).Public().(ed25519.PublicKey))
}

func random() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{1}) }

func everybody(protocols.Key) bool { return true }

// members are those of a roster.
type members struct {
	roster senderkey.Roster
	is     func(protocols.Key) bool
}

func (m members) Version() wire.RosterVersion { return m.roster.Version }
func (m members) Hash() wire.RosterHash       { return m.roster.Hash }
func (m members) Member(k protocols.Key) bool { return m.is(k) }

// conversation is alice's chain and what bob has of it.
type conversation struct {
	t       *testing.T
	random  *rand.ChaCha8
	sending *senderkey.Sending
	ring    *senderkey.Ring
}

func begun(t *testing.T) *conversation {
	t.Helper()
	c := &conversation{t: t, random: random(), ring: senderkey.NewRing()}
	c.ring.Know(members{roster, everybody})
	c.begin()
	if err := c.ring.Accept(alice, c.sending.Key()); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *conversation) begin() {
	s, err := senderkey.Begin(c.random, roster, start)
	if err != nil {
		c.t.Fatal(err)
	}
	c.sending = s
}

func record(n int) senderkey.Record {
	return senderkey.Record{Group: wire.GroupID{7}, ID: wire.RecordID{byte(n), byte(n >> 8)}, Author: alice, Time: 1_790_000_000_123}
}

func (c *conversation) seal(n int) *wire.Message {
	c.t.Helper()
	m, err := c.sending.Seal(record(n), fmt.Appendf(nil, "message %d", n))
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

func (c *conversation) sealed(n int) []*wire.Message {
	list := make([]*wire.Message, n)
	for i := range list {
		list[i] = c.seal(i)
	}
	return list
}

func (c *conversation) opens(n int, m *wire.Message) {
	c.t.Helper()
	plain, err := c.ring.Open(record(n), m, start)
	if err != nil || string(plain) != fmt.Sprintf("message %d", n) {
		c.t.Errorf("message %d: %q, %v", n, plain, err)
	}
}

func (c *conversation) refuses(n int, m *wire.Message, want error) {
	c.t.Helper()
	if plain, err := c.ring.Open(record(n), m, start); !errors.Is(err, want) {
		c.t.Errorf("message %d: %q, %v; want %v", n, plain, err, want)
	}
}

func TestMessagesOpenOnceInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		c := begun(t)
		ms := c.sealed(20)
		order := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}).Draw(r, "order")
		for _, i := range order {
			c.opens(i, ms[i])
			c.refuses(i, ms[i], senderkey.ErrPast)
		}
	})
}

// Whoever takes a device gets its states: they open nothing that was opened.
func TestASeizedDeviceOpensNothingRatchetedPast(t *testing.T) {
	t.Parallel()
	c := begun(t)
	ms := c.sealed(5)
	c.opens(0, ms[0])
	c.opens(3, ms[3])
	thief := &conversation{t: t, ring: senderkey.NewRing()}
	if err := thief.ring.Load(c.ring.Append(nil)); err != nil {
		t.Fatal(err)
	}
	thief.refuses(0, ms[0], senderkey.ErrPast)
	thief.refuses(3, ms[3], senderkey.ErrPast)
	thief.opens(1, ms[1]) // bob had not read these: this is what restoring is for
	thief.opens(4, ms[4])

	author := senderkey.NewRing()
	author.Know(members{roster, everybody})
	if err := author.Accept(alice, senderkey.Resume(c.sending.State()).Key()); err != nil {
		t.Fatal(err)
	}
	for i, m := range ms {
		if _, err := author.Open(record(i), m, start); !errors.Is(err, senderkey.ErrPast) {
			t.Errorf("the author's own state opens message %d: %v", i, err)
		}
	}
}

// A chain that is kept ahead goes on behind the keys that it has given up, up to
// its last.
func TestAChainKeptAheadGivesUpWhatMayBeUsed(t *testing.T) {
	t.Parallel()
	c := begun(t)
	ahead := c.sending.Ahead(3)
	ms := c.sealed(3)
	if ahead != c.sending.State() {
		t.Error("three messages later it is another")
	}
	thief := senderkey.NewRing()
	thief.Know(members{roster, everybody})
	if err := thief.Accept(alice, senderkey.Resume(ahead).Key()); err != nil {
		t.Fatal(err)
	}
	for i, m := range ms {
		if _, err := thief.Open(record(i), m, start); !errors.Is(err, senderkey.ErrPast) {
			t.Errorf("it opens message %d: %v", i, err)
		}
	}
	c.opens(0, ms[0])
	c.sending = senderkey.Resume(c.sending.Ahead(5)) // as after a crash
	c.opens(9, c.seal(9))
	if last := c.sending.Ahead(2 * senderkey.MaxMessages); last.Index != senderkey.MaxMessages {
		t.Errorf("it has %d keys", last.Index)
	}
}

func TestNothingBringsBackUsedKeys(t *testing.T) {
	t.Parallel()
	c := begun(t)
	first := c.sending.Key()
	ms := c.sealed(3)
	c.opens(2, ms[2])
	c.opens(0, ms[0])
	if err := c.ring.Accept(alice, first); err != nil { // the very envelope again
		t.Error(err)
	}
	c.refuses(0, ms[0], senderkey.ErrPast)
	c.opens(1, ms[1])
}

func TestAJoinerReadsNothingOlder(t *testing.T) {
	t.Parallel()
	c := begun(t)
	old := c.sealed(3)
	c.ring = senderkey.NewRing()
	c.ring.Know(members{roster, everybody})
	if err := c.ring.Accept(alice, c.sending.Key()); err != nil {
		t.Fatal(err)
	}
	for i, m := range old {
		c.refuses(i, m, senderkey.ErrPast)
	}
	c.opens(3, c.seal(3))
}

func TestAChainIsWornByAgeNumberAndRemovals(t *testing.T) {
	t.Parallel()
	c := begun(t)
	for name, w := range map[string]struct {
		now     time.Time
		removal wire.RosterVersion
		want    bool
	}{
		"new":                       {start, 0, false},
		"removal before it":         {start, 4, false},
		"removal after it":          {start, 5, true},
		"a day old":                 {start.Add(24 * time.Hour), 0, true},
		"not quite":                 {start.Add(24*time.Hour - 1), 0, false},
		"a clock that went back":    {start.Add(-time.Hour), 0, false},
		"a clock a day in the past": {start.Add(-24 * time.Hour), 0, true},
	} {
		if got := c.sending.Worn(w.now, w.removal); got != w.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for range senderkey.MaxMessages {
		if _, err := c.sending.Seal(record(0), nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.sending.Seal(record(0), nil); !errors.Is(err, senderkey.ErrWorn) || !c.sending.Worn(start, 0) {
		t.Errorf("one message too many: %v", err)
	}
	if k := c.sending.Key(); c.ring.Accept(bob, k) != nil {
		t.Error("the key of a worn chain, for which no message will come, is an error")
	}
}

func TestForgeriesChangeNothing(t *testing.T) {
	t.Parallel()
	c := begun(t)
	m := c.seal(0)
	changed := func(change func(*wire.Message)) *wire.Message {
		other := *m
		other.Ciphertext = bytes.Clone(m.Ciphertext)
		change(&other)
		return &other
	}
	c.refuses(0, changed(func(m *wire.Message) { m.Ciphertext[0]++ }), senderkey.ErrAEAD)
	c.refuses(0, changed(func(m *wire.Message) { m.Ciphertext = m.Ciphertext[:3] }), senderkey.ErrAEAD)
	c.refuses(0, changed(func(m *wire.Message) { m.Index++ }), senderkey.ErrAEAD)
	c.refuses(0, changed(func(m *wire.Message) { m.Index = senderkey.MaxMessages - 1 }), senderkey.ErrAEAD)
	c.refuses(0, changed(func(m *wire.Message) { m.Index = senderkey.MaxMessages }), senderkey.ErrBound)
	c.refuses(0, changed(func(m *wire.Message) { m.Index = 1<<64 - 1 }), senderkey.ErrBound)
	c.refuses(0, changed(func(m *wire.Message) { m.Roster++ }), senderkey.ErrBound)
	c.refuses(0, changed(func(m *wire.Message) { m.Chain[0]++ }), senderkey.ErrNoKey)
	c.refuses(1, m, senderkey.ErrAEAD) // moved into another record
	elsewhere, later := record(0), record(0)
	elsewhere.Group[0]++
	later.Time++
	for _, r := range []senderkey.Record{elsewhere, later} {
		if _, err := c.ring.Open(r, m, start); !errors.Is(err, senderkey.ErrAEAD) {
			t.Errorf("moved into %+v: %v", r, err)
		}
	}
	c.opens(0, m)
	c.refuses(0, m, senderkey.ErrPast)
	c.opens(1, c.seal(1))
}

// A member that has alice's chain, as all have, can neither give it to others
// nor write with it.
func TestAChainIsItsOwnersOnly(t *testing.T) {
	t.Parallel()
	c := begun(t)
	m := c.seal(0)
	asBob := record(0)
	asBob.Author = bob
	if _, err := c.ring.Open(asBob, m, start); !errors.Is(err, senderkey.ErrNoKey) {
		t.Errorf("under alice's chain as bob: %v", err)
	}
	if err := c.ring.Accept(bob, c.sending.Key()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ring.Open(asBob, m, start); err == nil {
		t.Error("alice's ciphertext opens as bob's")
	}
	c.opens(0, m)
}

func TestKeysThatComeBeforeTheirRosterWait(t *testing.T) {
	t.Parallel()
	c := begun(t)
	later := senderkey.Roster{Version: 5, Hash: wire.RosterHash{5}}
	s, err := senderkey.Begin(c.random, later, start)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 { // no more than a few of them are kept
		other, err := senderkey.Begin(c.random, later, start)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.ring.Accept(alice, other.Key()); !errors.Is(err, senderkey.ErrEarly) {
			t.Fatal(err)
		}
	}
	if err := c.ring.Accept(alice, s.Key()); !errors.Is(err, senderkey.ErrEarly) {
		t.Fatal(err)
	}
	c.sending = s
	m := c.seal(0)
	c.refuses(0, m, senderkey.ErrNoKey)
	if taken := c.ring.Know(members{later, everybody}); len(taken) != 1 || taken[0] != alice {
		t.Errorf("taken: %v", taken)
	}
	c.opens(0, m)
}

func TestKeysFromStrangersAreRefusedAndThoseOfOtherRostersMarked(t *testing.T) {
	t.Parallel()
	g := senderkey.NewRing()
	g.Know(members{roster, func(k protocols.Key) bool { return k == alice }})
	good := wire.SenderKey{Chain: wire.ChainID{1}, Roster: 4, RosterHash: wire.RosterHash{4}}
	before := wire.SenderKey{Chain: wire.ChainID{2}, Roster: 3, RosterHash: wire.RosterHash{3}}
	forked := wire.SenderKey{Chain: wire.ChainID{3}, Roster: 4, RosterHash: wire.RosterHash{9}}
	for name, k := range map[string]wire.SenderKey{"ours": good, "one before ours": before, "another branch's": forked} {
		if err := g.Accept(bob, k); !errors.Is(err, senderkey.ErrOwner) {
			t.Errorf("for %s, from one who is no member: %v", name, err)
		}
		if err := g.Accept(alice, k); err != nil {
			t.Errorf("for %s: %v", name, err)
		}
		if c, ok := g.Chain(alice, k.Chain); !ok || c.Elsewhere != (k.Chain == forked.Chain) {
			t.Errorf("for %s: %v, elsewhere %v", name, ok, c.Elsewhere)
		}
	}
	if err := g.Accept(alice, wire.SenderKey{Roster: 4, RosterHash: wire.RosterHash{4}, Index: senderkey.MaxMessages + 1}); !errors.Is(err, senderkey.ErrBound) {
		t.Errorf("an index beyond the end: %v", err)
	}
}

// A merge gives the losing side's versions other rosters.
func TestAMergeRewritesRosters(t *testing.T) {
	t.Parallel()
	g := senderkey.NewRing()
	g.Know(members{roster, everybody})
	g.Know(members{senderkey.Roster{Version: 5, Hash: wire.RosterHash{5}}, everybody})
	g.Know(members{senderkey.Roster{Version: 5, Hash: wire.RosterHash{55}}, func(k protocols.Key) bool { return k == alice }})
	k := wire.SenderKey{Roster: 5, RosterHash: wire.RosterHash{55}}
	if err := g.Accept(alice, k); err != nil {
		t.Error(err)
	}
	if c, _ := g.Chain(alice, k.Chain); c.Elsewhere {
		t.Error("the merged roster is taken for another branch's")
	}
	if err := g.Accept(bob, k); !errors.Is(err, senderkey.ErrOwner) {
		t.Errorf("from one whom the merge removed: %v", err)
	}
}

func TestSkippedKeysAreBounded(t *testing.T) {
	t.Parallel()
	c := begun(t)
	ms := c.sealed(3 * senderkey.MaxSkipped)
	last := len(ms) - 1
	c.opens(last, ms[last])
	held, _ := c.ring.Chain(alice, ms[0].Chain)
	if len(held.Skipped) != senderkey.MaxSkipped {
		t.Errorf("%d keys are kept", len(held.Skipped))
	}
	c.opens(last-1, ms[last-1])
	c.refuses(0, ms[0], senderkey.ErrPast)

	first := ms[last-2]
	c.begin() // a second chain of hers takes from the same bound
	if err := c.ring.Accept(alice, c.sending.Key()); err != nil {
		t.Fatal(err)
	}
	ms = c.sealed(senderkey.MaxSkipped + 1)
	c.opens(senderkey.MaxSkipped, ms[senderkey.MaxSkipped])
	c.refuses(last-2, first, senderkey.ErrPast)
	c.opens(0, ms[0])

	c.ring.Expire(start.Add(24 * time.Hour))
	c.refuses(1, ms[1], senderkey.ErrPast)
}

func TestChainsOfAnOwnerAreBounded(t *testing.T) {
	t.Parallel()
	c := begun(t)
	first := c.seal(0)
	for range 20 {
		c.begin()
		if err := c.ring.Accept(alice, c.sending.Key()); err != nil {
			t.Fatal(err)
		}
	}
	c.refuses(0, first, senderkey.ErrNoKey)
	c.opens(1, c.seal(1))
	c.ring.Forget(alice)
	c.refuses(2, c.seal(2), senderkey.ErrNoKey)
}

func TestTooLargeIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	c := begun(t)
	if _, err := c.sending.Seal(record(0), make([]byte, senderkey.MaxPlaintext+1)); !errors.Is(err, senderkey.ErrTooLarge) {
		t.Error(err)
	}
	m, err := c.sending.Seal(record(0), make([]byte, senderkey.MaxPlaintext))
	if err != nil || m.Index != 0 {
		t.Fatalf("%v: the refused one took a key", err)
	}
	s := protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(make([]byte, 32)))
	b := wire.SignRecords(s, []wire.Record{{Kind: wire.KindMessage, Time: wire.MaxMillis, Payload: m.Append(nil)}})[0]
	if _, err := wire.ParseRecord(b); err != nil {
		t.Errorf("the largest plaintext fits no record: %v", err)
	}
}

// The ratchet as the specification has it, in numbers.
func TestTheRatchetIsAsWritten(t *testing.T) {
	t.Parallel()
	s := senderkey.Resume(senderkey.State{Roster: roster, Secret: [32]byte{1, 2, 3}})
	if _, err := s.Seal(record(0), nil); err != nil {
		t.Fatal(err)
	}
	const want = "02af43514a00ef53352465f7f919ec47911ae9e3803d166a15e6733b134c5cee"
	if got := fmt.Sprintf("%x", s.State().Secret); got != want {
		t.Errorf("HMAC-SHA256(state, 02) = %s", got)
	}
}

// What is sealed for a record is sealed as the specification has it, put together here
// by hand.
func TestASealingIsAsWritten(t *testing.T) {
	t.Parallel()
	state := []byte("the state of a chain, 32 bytes..")
	r := senderkey.Record{Group: wire.GroupID{7}, ID: wire.RecordID([]byte("id of 16 bytes..")), Author: alice, Time: 0x0102030405}
	m, err := senderkey.Resume(senderkey.State{Chain: wire.ChainID{5}, Roster: roster, Index: 9, Secret: [32]byte(state)}).Seal(r, []byte("written"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, state)
	mac.Write([]byte{1})
	aead, err := chacha20poly1305.NewX(mac.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	additional := wire.MessageAAD(r.Group, r.ID, r.Author, m.Chain, 9, roster.Hash)
	plain, err := aead.Open(nil, []byte("id of 16 bytes..\x00\x00\x00\x01\x02\x03\x04\x05"), m.Ciphertext, additional)
	if string(plain) != "written" {
		t.Errorf("%q, %v", plain, err)
	}
}

// A device that is put back to what it was gives up keys that it has used. What it
// seals with them is in other records, or later: nobody who has both learns in what the
// two differ.
func TestAChainPutBackShowsNothing(t *testing.T) {
	t.Parallel()
	c := begun(t)
	state := c.sending.State()
	sealed := func(r senderkey.Record, plain byte) []byte {
		m, err := senderkey.Resume(state).Seal(r, bytes.Repeat([]byte{plain}, 64))
		if err != nil {
			t.Fatal(err)
		}
		return m.Ciphertext[:64]
	}
	later := record(0)
	later.Time++
	for name, r := range map[string]senderkey.Record{"another id": record(1), "another time": later} {
		a, b := sealed(record(0), 'a'), sealed(r, 'b')
		same := 0
		for i := range a {
			if a[i]^b[i] == 'a'^'b' {
				same++
			}
		}
		if same > 8 {
			t.Errorf("%s: %d of 64 bytes show in what they differ", name, same)
		}
	}
}

func BenchmarkSealAndOpen(b *testing.B) {
	s, _ := senderkey.Begin(random(), roster, start)
	g := senderkey.NewRing()
	g.Know(members{roster, everybody})
	r, plain := random(), make([]byte, 256)
	for b.Loop() {
		if s.Worn(start, 0) || s.State().Index == 0 {
			s, _ = senderkey.Begin(r, roster, start)
			if err := g.Accept(alice, s.Key()); err != nil {
				b.Fatal(err)
			}
		}
		m, _ := s.Seal(record(0), plain)
		if _, err := g.Open(record(0), m, start); err != nil {
			b.Fatal(err)
		}
	}
}
