package journal_test

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

var alice = protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(make([]byte, 32)))

func entry(t testing.TB, n byte) ([]byte, *wire.Entry) {
	t.Helper()
	r, err := wire.ParseRecord(wire.SignRecords(alice, []wire.Record{{ID: wire.RecordID{n}, Kind: wire.KindDissolve, Payload: wire.Dissolve{}.Append(nil)}})[0])
	if err != nil {
		t.Fatal(err)
	}
	e := &wire.Entry{Record: r}
	return e.Append(nil), e
}

func place(n wire.Number, s wire.Seq) wire.Place {
	return wire.Place{Number: n, Primary: alice.Public(), Seq: s}
}

// Whoever is sent the pages of a log has the same log; what is cut off and put
// on again leaves the same hashes.
func TestPagesMakeTheSameLog(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		a := journal.New(place(0, 5), wire.LogHash{1})
		for i := range rapid.IntRange(1, 100).Draw(rt, "entries") {
			raw, e := entry(t, byte(i))
			if _, err := a.Append(place(wire.Number(1+i/7), wire.Seq(6+i)), raw, e); err != nil {
				rt.Fatal(err)
			}
		}
		b := journal.New(place(0, 5), wire.LogHash{1})
		for at := wire.Seq(5); ; {
			f, last, ok := a.Page(wire.GroupID{}, at, a.Seq())
			if !ok {
				break
			}
			fill(rt, b, f)
			at = last
		}
		same(rt, a, b)
		cut := wire.Seq(rapid.IntRange(5, int(a.Seq())).Draw(rt, "cut"))
		for _, e := range a.Cut(cut) {
			if _, held := a.Find(e.Record.Name()); held {
				rt.Fatal("a record that was cut off is found")
			}
			if _, err := a.Append(e.Place, e.Raw, &wire.Entry{Record: e.Record}); err != nil {
				rt.Fatal(err)
			}
		}
		same(rt, a, b)
	})
}

func fill(t *rapid.T, j *journal.Journal, f wire.Records) {
	seq, n := f.First, 0
	for _, run := range f.Runs {
		for range run.Entries {
			e, err := wire.ParseEntry(f.Entries[n])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := j.Append(wire.Place{Number: run.Number, Primary: run.Primary, Seq: seq}, f.Entries[n], e); err != nil {
				t.Fatal(err)
			}
			seq, n = seq+1, n+1
		}
	}
}

func same(t *rapid.T, a, b *journal.Journal) {
	_, ha := a.End()
	_, hb := b.End()
	if ha != hb || a.Len() != b.Len() {
		t.Fatalf("%d entries and %v, %d and %v", a.Len(), ha, b.Len(), hb)
	}
	a.All(func(e journal.Entry) {
		o, ok := b.At(e.Place.Seq)
		if !ok || !bytes.Equal(o.Raw, e.Raw) || o.Place != e.Place || !b.Has(e.Place.Seq, e.Hash) {
			t.Fatalf("seq %d differs", e.Place.Seq)
		}
	})
}

func TestOnlyWhatFollowsIsAppended(t *testing.T) {
	t.Parallel()
	j := journal.New(place(0, 0), wire.LogHash{})
	raw, e := entry(t, 1)
	for _, s := range []wire.Seq{0, 2, 9} {
		if _, err := j.Append(place(1, s), raw, e); err == nil {
			t.Errorf("seq %d behind 0", s)
		}
	}
	if _, err := j.Append(place(1, 1), raw, e); err != nil {
		t.Error(err)
	}
	if j.Cut(1) != nil || j.Cut(7) != nil || len(j.Cut(0)) != 1 {
		t.Error("cut another number of entries than there are behind")
	}
	if _, _, ok := j.Page(wire.GroupID{}, 0, 0); ok {
		t.Error("a page of nothing")
	}
}

// What goes into so many bytes is found without a walk, whatever was cut off and
// forgotten before.
func TestHowFarSoManyBytesReach(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		j, n := journal.New(place(0, 5), wire.LogHash{1}), rapid.SampledFrom([]int{1, 2, 60, 400}).Draw(t, "entries")
		grow := func() {
			for range n {
				e := &wire.Entry{Record: new(wire.Record)}
				if _, err := j.Append(place(1, j.Seq()+1), make([]byte, rapid.IntRange(1, 9).Draw(t, "bytes")), e); err != nil {
					t.Fatal(err)
				}
			}
		}
		grow()
		j.Cut(wire.Seq(rapid.IntRange(5, int(j.Seq())).Draw(t, "cut")))
		grow()
		j.Purge(wire.Seq(rapid.IntRange(6, int(j.Seq())).Draw(t, "purged")))
		all := 0
		j.All(func(e journal.Entry) { all += len(e.Raw) })
		if j.Size() != all {
			t.Fatalf("%d bytes, want %d", j.Size(), all)
		}
		base, _ := j.Base()
		from := wire.Seq(rapid.IntRange(int(base.Seq), int(j.Seq())).Draw(t, "from"))
		to, size := wire.Seq(rapid.IntRange(1, int(j.Seq())+5).Draw(t, "to")), rapid.IntRange(0, all+5).Draw(t, "size")
		want, left := from, size
		for s := from + 1; s <= min(to, j.Seq(), from+256); s++ {
			e, _ := j.At(s)
			if left -= len(e.Raw); left < 0 && s > from+1 {
				break
			}
			want = s
		}
		if got := j.Within(from, to, size); got != want {
			t.Errorf("behind %d, up to %d, %d bytes reach to %d, want %d", from, to, size, got, want)
		}
	})
}

// Who was told what stands behind a seq has that, though others come to stand there.
func TestWhatStoodBehindASeqIsWhatItWas(t *testing.T) {
	t.Parallel()
	j := journal.New(place(0, 0), wire.LogHash{1})
	put := func(from wire.Seq, list ...byte) {
		for i, n := range list {
			raw, e := entry(t, n)
			if _, err := j.Append(place(1, from+wire.Seq(i)), raw, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(1, 1, 2, 3, 4, 5)
	behind := j.Behind(2)
	if none := j.Behind(5); len(none) > 0 {
		t.Errorf("behind the end stand %d", len(none))
	}
	j.Cut(1)
	put(2, 12, 13, 14, 15)
	if len(behind) != 3 {
		t.Fatalf("behind 2 of 5 stand %d", len(behind))
	}
	for i, e := range behind {
		if s := wire.Seq(i + 3); e.Place.Seq != s || e.Record.ID != (wire.RecordID{byte(s)}) {
			t.Errorf("at %d stood %v at %d", s, e.Record.ID, e.Place.Seq)
		}
	}
}
