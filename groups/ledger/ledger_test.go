package ledger_test

import (
	"bytes"
	"crypto/ed25519"
	"slices"
	"testing"

	"github.com/tom-protocol/tom/groups/ledger"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

var alice = protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)))

// book is a ledger that its creator writes into, as a rule alone, and a disk that is told.
type book struct {
	t    *testing.T
	c    *wire.Charter
	l    *ledger.Ledger
	disk map[wire.Seq]string
	base ledger.Base
	id   byte
}

func newBook(t *testing.T) *book {
	t.Helper()
	c, err := wire.ParseCharter(protocols.Main, wire.Charter{Settings: wire.Settings{Open: true, Max: 9, Beat: 500}}.Sign(alice))
	if err != nil {
		t.Fatal(err)
	}
	return &book{t: t, c: c, l: ledger.New(protocols.Main, c), disk: make(map[wire.Seq]string)}
}

func (b *book) append(kind wire.Kind, payload []byte) wire.Seq {
	b.t.Helper()
	return b.appendBy(alice, kind, payload)
}

func (b *book) appendBy(s protocols.Signer, kind wire.Kind, payload []byte) wire.Seq {
	b.t.Helper()
	b.id++
	r, err := wire.ParseRecord(wire.SignRecords(s, []wire.Record{{Group: b.c.Group(), ID: wire.RecordID{b.id}, Kind: kind, Time: 1, Payload: payload}})[0])
	if err != nil {
		b.t.Fatal(err)
	}
	e := &wire.Entry{Record: r}
	at := b.l.Log().Seq() + 1
	if _, err := b.l.Append(wire.Place{Number: 1, Primary: alice.Public(), Seq: at}, e.Append(nil), e); err != nil {
		b.t.Fatal(err)
	}
	return at
}

func (b *book) rename(name string) wire.Seq {
	b.t.Helper()
	return b.append(wire.KindRename, (&wire.Rename{Name: name}).Append(nil))
}

func (b *book) snapshot() wire.Seq {
	b.t.Helper()
	r := b.l.Fold().Roster()
	return b.append(wire.KindSnapshot, r.Append(nil))
}

// tell tells the disk, and checks that a ledger made of it is the same.
func (b *book) tell() ledger.Change {
	b.t.Helper()
	c := b.l.Change()
	if c.Base != nil {
		b.base = *c.Base
	}
	for _, d := range c.Drop {
		for s := d.From; s <= d.To; s++ {
			if _, ok := b.disk[s]; !ok {
				b.t.Errorf("seq %d is dropped and was never put", s)
			}
			delete(b.disk, s)
		}
	}
	for _, e := range c.Put {
		b.disk[e.Place.Seq] = string(e.Raw)
	}
	b.same()
	return c
}

func (b *book) same() {
	b.t.Helper()
	l := ledger.New(protocols.Main, b.c)
	if b.base.Place.Seq > 0 {
		e, err := wire.ParseEntry([]byte(b.disk[b.base.Place.Seq+1]))
		if err != nil {
			b.t.Fatalf("behind the base stands %v", err)
		}
		r, err := wire.ParseRoster(e.Record.Payload)
		if err != nil {
			b.t.Fatal(err)
		}
		l.Begin(b.base, r)
	}
	for range b.disk {
		at := l.Log().Seq() + 1
		raw := []byte(b.disk[at])
		e, err := wire.ParseEntry(raw)
		if err != nil {
			b.t.Fatalf("seq %d: %v", at, err)
		}
		if _, err := l.Append(wire.Place{Number: 1, Primary: alice.Public(), Seq: at}, raw, e); err != nil {
			b.t.Fatal(err)
		}
	}
	_, want := b.l.Log().End()
	if _, got := l.Log().End(); got != want || l.Fold().Hash() != b.l.Fold().Hash() || l.Log().Len() != b.l.Log().Len() {
		b.t.Error("the disk's log is another")
	}
}

func TestADiskIsToldOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	for range 5 {
		b.rename("a")
	}
	if c := b.tell(); len(c.Put) != 5 || len(c.Drop) != 0 {
		t.Errorf("told %d, dropped %v", len(c.Put), c.Drop)
	}
	b.rename("b")
	if c := b.tell(); len(c.Put) != 1 {
		t.Errorf("told %d of one", len(c.Put))
	}
	if c := b.tell(); !c.Empty() {
		t.Errorf("told of nothing: %v", c)
	}
	b.l.Cut(3)
	b.rename("c")
	if c := b.tell(); len(c.Put) != 1 || len(c.Drop) != 1 || c.Drop[0] != (ledger.Span{From: 5, To: 6}) {
		t.Errorf("after a cut told %d, dropped %v", len(c.Put), c.Drop)
	}
	b.l.Cut(0)
	if c := b.tell(); len(c.Put) != 0 || len(b.disk) != 0 {
		t.Errorf("all was cut: told %d", len(c.Put))
	}
}

func TestWhatStandsBeforeASnapshotCanBeForgotten(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.rename("a")
	plain := b.rename("b")
	first := b.snapshot()
	b.rename("c")
	second := b.snapshot()
	b.tell()
	hash := b.l.Fold().Hash()
	for _, at := range []wire.Seq{plain, 0, 99} {
		if b.l.Purge(at) {
			t.Errorf("forgot what stands before %d, which is no snapshot", at)
		}
	}
	if !b.l.Purge(first) || b.l.Purge(first) {
		t.Error("a snapshot forgets once what stands before it")
	}
	if c := b.tell(); c.Base == nil || c.Base.Place.Seq != first-1 || len(c.Put) != 0 {
		t.Errorf("told %v", c)
	}
	if b.l.Fold().Hash() != hash || b.l.SnapshotUpTo(second-1) != first || b.l.Snapshot() != second {
		t.Error("the roster, or the snapshots, are others")
	}
	b.l.Cut(first)
	b.rename("d")
	b.tell()
	b.l.Empty()
	b.rename("e")
	if c := b.tell(); c.Base == nil || c.Base.Place.Seq != 0 {
		t.Errorf("begun anew: %v", c)
	}
}

// A snapshot that is not the roster has no effect, and nothing is forgotten for it.
func TestAFalseSnapshotForgetsNothing(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.rename("a")
	r := b.l.Fold().Roster()
	r.Version--
	at := b.append(wire.KindSnapshot, r.Append(nil))
	if b.l.Void(at) == nil || b.l.Snapshot() != 0 || b.l.Purge(at) {
		t.Error("a snapshot of another roster counts")
	}
}

// Who went is known by the record, until it is in again or the log has forgotten it.
func TestALedgerKnowsWhoWent(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	bob := protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32)))
	gone := func(want wire.Seq) {
		t.Helper()
		at, ok := b.l.Departure(bob.Public())
		if at != want || ok != (want > 0) || ok != slices.Contains(b.l.Departed(), bob.Public()) {
			t.Errorf("bob's departure is at %d (%v), not %d, among %d", at, ok, want, len(b.l.Departed()))
		}
	}
	leave := func() wire.Seq {
		names, _ := b.l.Fold().Names(bob.Public())
		return b.appendBy(bob, wire.KindLeave, (&wire.Target{Kind: wire.KindLeave, Names: names}).Append(nil))
	}
	join := func() wire.Seq { return b.appendBy(bob, wire.KindJoin, (&wire.Join{}).Append(nil)) }
	join()
	gone(0)
	first := leave()
	gone(first)
	again := join()
	gone(0)
	b.l.Cut(again - 1)
	gone(first)
	join()
	last := leave()
	gone(last)
	b.appendBy(bob, wire.KindLeave, (&wire.Target{Kind: wire.KindLeave}).Append(nil)) // void
	gone(last)
	if at := b.snapshot(); !b.l.Purge(at) {
		t.Fatal("nothing is forgotten")
	}
	gone(0)
}

// The newest settings with effect are found where they stand, until they are cut off or
// forgotten.
func TestALedgerKnowsWhereItsSettingsStand(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	bob := protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32)))
	settings := func(by protocols.Signer) wire.Seq {
		s := b.l.Fold().Settings()
		return b.appendBy(by, wire.KindSettings, s.Append(nil))
	}
	stand := func(want wire.Seq) {
		t.Helper()
		if at := b.l.Settings(); at != want {
			t.Errorf("settings stand at %d, want %d", at, want)
		}
	}
	b.rename("a")
	stand(0)
	first := settings(alice)
	settings(bob) // a stranger's are void
	stand(first)
	second := settings(alice)
	stand(second)
	b.l.Cut(second - 1)
	stand(first)
	b.l.Cut(first - 1)
	stand(0)
	last := settings(alice)
	if at := b.snapshot(); !b.l.Purge(at) {
		t.Fatalf("nothing before %d is forgotten, with settings at %d", at, last)
	}
	stand(0)
	last = settings(alice)
	if at := b.snapshot(); at != last+1 {
		t.Fatalf("a snapshot at %d", at)
	}
	stand(last)
	b.l.Empty()
	stand(0)
}
