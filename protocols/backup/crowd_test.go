package backup_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/backup"
)

// ranked are n keys that rank before most others as holders of friend's mail,
// the first one first.
func ranked(n int) []protocols.Key {
	var all []protocols.Key
	for i := range 300 {
		all = append(all, key(1000+i))
	}
	slices.SortFunc(all, func(a, b protocols.Key) int {
		return cmp.Compare(backup.Rank(friend, b), backup.Rank(friend, a))
	})
	return all[:n]
}

// TestTheLastLetsGoSoonAfterTwoPartsHaveMet cuts the last of some holders off
// from one that it knows, until it has made a copy in its place; then it hears
// from the first who else there is. One that counts as dead may have lost what
// it has shown before.
func TestTheLastLetsGoSoonAfterTwoPartsHaveMet(t *testing.T) {
	t.Parallel()
	best := ranked(4)
	first, away, unknown, last := best[0], best[1], best[2], best[3]
	for name, lost := range map[string]protocols.Key{"nobody": outside, "who was away": away, "who was unknown": unknown} {
		k := backup.NewKeeper(last, backup.Limits{}, 1)
		it := item(1)
		it.Holders = []protocols.Key{first, away}
		store(k, it)
		cut, met := start.Add(10*time.Minute), start.Add(30*time.Minute)
		advance(k, start, cut, everybody, everybody)
		copies := advance(k, cut, met, everybody, func(p protocols.Key) bool { return p != away })
		if len(copies) != 1 {
			t.Fatalf("%d copies", len(copies))
		}
		k.HoldersAsked(met, first, &backup.Holders{Digest: it.Digest, Holders: best[:3]})
		has := func(p protocols.Key) bool { return p != lost }
		advance(k, met, met.Add(20*time.Second), has, everybody)
		if _, kept := k.Copy(it.Digest); kept != (lost != outside) {
			t.Errorf("%s has lost it: kept %v", name, kept)
		}
		advance(k, met.Add(20*time.Second), met.Add(time.Hour), has, everybody)
		if _, kept := k.Copy(it.Digest); kept != (lost != outside) {
			t.Errorf("%s has lost it: an hour later, kept %v", name, kept)
		}
	}
}

// TestTheFirstTellsTwoPartsOfEachOther has two holders that the first did not
// know return, and one it knew that counts as dead.
func TestTheFirstTellsTwoPartsOfEachOther(t *testing.T) {
	t.Parallel()
	best := ranked(5)
	others := best[1:]
	k := backup.NewKeeper(best[0], backup.Limits{}, 1)
	it := item(1)
	it.Holders = others[:2]
	store(k, it)
	met := start.Add(2 * time.Minute)
	advance(k, start, met, everybody, func(p protocols.Key) bool { return p != others[0] })
	for i, p := range others {
		if i != 1 {
			k.OfferAsked(met, p, &backup.Offer{Held: []backup.Held{{Digest: it.Digest, End: uint64(it.End.UnixMilli())}}})
		}
	}
	told := make(map[protocols.Key][]protocols.Key)
	for now := met; now.Before(met.Add(10 * time.Second)); now = k.Deadline() {
		k.Tick(now)
		for asks := k.Ready().Ask; len(asks) > 0; asks = k.Ready().Ask {
			for _, q := range asks {
				if f, ok := q.Frame.(*backup.Holders); ok {
					told[q.To] = f.Holders
				}
				reply(k, now, q, backup.Reply{Answer: backup.Answer{Code: backup.Hash}, Proved: true})
			}
		}
	}
	for _, p := range others {
		for _, o := range best {
			if !slices.Contains(told[p], o) {
				t.Errorf("%x was not told of %x", p[:2], o[:2])
			}
		}
	}
}

// TestWhoIsNamedInVainIsNotAskedEachTime has a holder name one that is dead,
// again and again.
func TestWhoIsNamedInVainIsNotAskedEachTime(t *testing.T) {
	t.Parallel()
	k := keeper(t, backup.Limits{}, item(1))
	now := start.Add(20 * time.Minute)
	dead := fellows[1]
	advance(k, start, now, everybody, func(p protocols.Key) bool { return p != dead })
	end, asked := now.Add(time.Minute), 0
	for ; now.Before(end); now = now.Add(100 * time.Millisecond) {
		k.HoldersAsked(now, fellows[0], &backup.Holders{Digest: item(1).Digest, Holders: fellows})
		k.Tick(now)
		for _, q := range k.Ready().Ask {
			if q.To == dead {
				asked++
				k.Unanswered(now, q.N)
			}
		}
	}
	if asked == 0 || asked > 8 {
		t.Errorf("asked %d times in a minute", asked)
	}
}

// lettingGo is what the last of four holders says to whom when it lets go of its
// copy, which the others have shown to have.
func lettingGo(t *testing.T, best []protocols.Key) map[protocols.Key]*backup.Holders {
	t.Helper()
	k := backup.NewKeeper(best[3], backup.Limits{}, 1)
	it := item(1)
	it.Holders = best[:3]
	store(k, it)
	k.PeerUp(start, author)
	said := make(map[protocols.Key]*backup.Holders)
	for now := start; now.Before(start.Add(time.Hour)); now = k.Deadline() {
		k.Tick(now)
		for asks := k.Ready().Ask; len(asks) > 0; asks = k.Ready().Ask {
			for _, q := range asks {
				if f, ok := q.Frame.(*backup.Holders); ok {
					said[q.To] = f
				}
				reply(k, now, q, backup.Reply{Answer: backup.Answer{Code: backup.Hash}, Proved: true})
			}
		}
		if _, kept := k.Copy(it.Digest); !kept {
			return said
		}
	}
	t.Fatal("kept for an hour")
	return nil
}

// TestWhoLetsGoOfACopySaysSo to the other holders and to the author: they count on
// it no more. It can say so of itself alone.
func TestWhoLetsGoOfACopySaysSo(t *testing.T) {
	t.Parallel()
	best := ranked(4)
	last := best[3]
	said := lettingGo(t, best)
	for _, p := range append([]protocols.Key{author}, best[:3]...) {
		if f := said[p]; f == nil || !slices.Equal(sortedKeys(f.Holders), sortedKeys(best[:3])) {
			t.Errorf("%x hears %+v", p[:2], f)
		}
	}
	first := backup.NewKeeper(best[0], backup.Limits{}, 1)
	it := item(1)
	it.Holders = best[1:]
	store(first, it)
	counted := func() bool {
		all, _, _ := first.HoldersOf(it.Digest)
		return slices.Contains(all, last)
	}
	for _, p := range []protocols.Key{outside, author, best[1]} {
		first.HoldersAsked(start, p, &backup.Holders{Digest: it.Digest, Holders: best[:3]})
		if !counted() {
			t.Errorf("%x spoke for another", p[:2])
		}
	}
	first.HoldersAsked(start, last, said[best[0]])
	if counted() {
		t.Error("counted on, though it has let go")
	}
	first.HoldersAsked(start, best[1], &backup.Holders{Digest: it.Digest, Holders: best}) // who has not heard of it
	if counted() {
		t.Error("counted on again, for another names it still")
	}
}

func sortedKeys(keys []protocols.Key) []protocols.Key {
	return slices.SortedFunc(slices.Values(keys), func(a, b protocols.Key) int { return slices.Compare(a[:], b[:]) })
}
