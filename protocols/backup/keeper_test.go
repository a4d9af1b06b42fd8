package backup_test

import (
	"bytes"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/internal/fixed"
)

var (
	start   = fixed.Created
	me      = key(1)
	author  = key(2)
	friend  = key(3) // the recipient
	fellows = []protocols.Key{key(11), key(12)}
	outside = key(20)
)

// item is the i-th envelope from author to friend.
func item(i int) backup.Item {
	return backup.Item{
		Digest: digest(byte(i)), ID: envelope.ID(fixed.Bytes(byte(i), 16)), From: author, To: friend,
		End: start.Add(24 * time.Hour), Size: 1000, Admitted: true, Asker: author, Holders: fellows,
	}
}

// keeper is one that holds the items.
func keeper(t *testing.T, l backup.Limits, items ...backup.Item) *backup.Keeper {
	t.Helper()
	k := backup.NewKeeper(me, l, 1)
	for _, it := range items {
		if a := store(k, it); a.Code != backup.Stored {
			t.Fatalf("not stored: %+v", a)
		}
	}
	k.Ready()
	return k
}

func store(k *backup.Keeper, it backup.Item) *backup.Answer {
	a, keep := k.StoreAsked(start, it)
	if keep {
		return k.Kept(start, it.Digest, true)
	}
	return a
}

func receiptFor(kind ack.Kind, items ...backup.Item) (*ack.Receipt, []byte) {
	r := &ack.Receipt{Kind: kind, From: friend, To: author}
	for _, it := range items {
		r.Entries = append(r.Entries, ack.Entry{ID: it.ID, Digest: it.Digest.Short()})
	}
	return r, []byte("receipt " + kind.String())
}

func TestOnlyTheRecipientsReceiptOrTheEndPurges(t *testing.T) {
	t.Parallel()
	it := item(1)
	for name, change := range map[string]func(*ack.Receipt){
		"signed by another":   func(r *ack.Receipt) { r.From = outside },
		"for another author":  func(r *ack.Receipt) { r.To = outside },
		"of another id":       func(r *ack.Receipt) { r.Entries[0].ID[0]++ },
		"of another envelope": func(r *ack.Receipt) { r.Entries[0].Digest[0]++ },
	} {
		k := keeper(t, backup.Limits{}, it)
		r, raw := receiptFor(ack.Delivered, it)
		change(r)
		k.Receipt(start, outside, r, raw)
		if _, ok := k.Copy(it.Digest); !ok || k.Ready().Destroy != nil {
			t.Errorf("a receipt %s purged", name)
		}
	}
	for _, kind := range []ack.Kind{ack.Delivered, ack.Read, ack.Unopenable, ack.Got} {
		k := keeper(t, backup.Limits{}, it)
		r, raw := receiptFor(kind, it)
		k.Receipt(start, outside, r, raw)
		want := []backup.Destruction{{Digest: it.Digest, Receipt: raw}}
		if got := k.Ready().Destroy; !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %+v", kind, got)
		}
	}
	k := keeper(t, backup.Limits{}, it)
	k.Tick(it.End.Add(-time.Millisecond))
	if _, ok := k.Copy(it.Digest); !ok {
		t.Error("ended before its end")
	}
	k.Tick(it.End)
	if got := k.Ready().Destroy; len(got) != 1 || got[0].Receipt != nil {
		t.Errorf("at the end: %+v", got)
	}
}

func TestAReceiptGoesOnToAllWhoShare(t *testing.T) {
	t.Parallel()
	k := keeper(t, backup.Limits{}, item(1), item(2))
	r, raw := receiptFor(ack.Delivered, item(1), item(2))
	k.Receipt(start, fellows[0], r, raw)
	ready := k.Ready()
	if len(ready.Ask) != 1 || ready.Ask[0].To != fellows[1] || !bytes.Equal(ready.Ask[0].Frame.(*backup.Drop).Receipt, raw) {
		t.Errorf("asked %+v", ready.Ask)
	}
	if want := []backup.Tidings{{Author: author, Receipt: raw}}; !reflect.DeepEqual(ready.Tell, want) {
		t.Errorf("told %+v", ready.Tell)
	}
	k.Receipt(start, fellows[1], r, raw) // the echo
	if again := k.Ready(); again.Ask != nil || again.Tell != nil || again.Destroy != nil {
		t.Errorf("the echo is answered: %+v", again)
	}
}

func TestAPurgedCopyNeverComesBack(t *testing.T) {
	t.Parallel()
	it := item(1)
	k := keeper(t, backup.Limits{}, it)
	r, raw := receiptFor(ack.Delivered, it)
	k.Receipt(start, friend, r, raw)
	gone := &backup.Answer{Code: backup.Gone, Receipts: [][]byte{raw}}
	if a := store(k, it); !reflect.DeepEqual(a, gone) {
		t.Errorf("store: %+v", a)
	}
	if a, prove := k.AuditAsked(outside, it.Digest); prove || !reflect.DeepEqual(a, gone) {
		t.Errorf("audit: %+v", a)
	}
	if a := k.HoldersAsked(start, fellows[0], &backup.Holders{Digest: it.Digest}); !reflect.DeepEqual(a, gone) {
		t.Errorf("holders: %+v", a)
	}
	offer := &backup.Offer{Held: []backup.Held{{Digest: it.Digest, End: uint64(it.End.UnixMilli())}}}
	if a := k.OfferAsked(start, fellows[0], offer); !reflect.DeepEqual(a, gone) {
		t.Errorf("offer: %+v", a)
	}
	// After a restart too, and nothing of it outlives the end.
	again := backup.NewKeeper(me, backup.Limits{}, 2)
	again.LoadGone(start, it, raw)
	if a := store(again, it); !reflect.DeepEqual(a, gone) {
		t.Errorf("store after a restart: %+v", a)
	}
	again.Tick(it.End)
	if got := again.Ready().Forget; !slices.Equal(got, []envelope.Digest{it.Digest}) || again.Usage().Bytes != 0 {
		t.Errorf("at the end: %v, %+v", got, again.Usage())
	}
}

func TestNobodyCanExtendALife(t *testing.T) {
	t.Parallel()
	it := item(1)
	k := keeper(t, backup.Limits{}, it)
	longer := it
	longer.End = it.End.Add(time.Hour)
	if a := store(k, longer); a.Code != backup.Stored {
		t.Fatalf("%+v", a)
	}
	if end, ok := k.Copy(it.Digest); !ok || !end.Equal(it.End) {
		t.Errorf("ends %v", end)
	}
	now := fixed.Created
	ahead := &envelope.Envelope{Created: uint64(now.Add(5 * time.Minute).UnixMilli()), Lifetime: 3600}
	if end := backup.EndOf(ahead, now); !end.Equal(now.Add(time.Hour)) {
		t.Errorf("created in the future: ends %v", end)
	}
	past := &envelope.Envelope{Created: uint64(now.Add(-50 * time.Minute).UnixMilli()), Lifetime: 3600}
	if end := backup.EndOf(past, now); !end.Equal(now.Add(10 * time.Minute)) {
		t.Errorf("created in the past: ends %v", end)
	}
	// While the clock is in doubt, nothing ends.
	k.Doubt(true)
	k.Tick(it.End.Add(time.Hour))
	if _, ok := k.Copy(it.Digest); !ok {
		t.Error("ended by a clock in doubt")
	}
}

func TestAnotherEnvelopeUnderTheSameNameIsRefused(t *testing.T) {
	t.Parallel()
	k := keeper(t, backup.Limits{}, item(1))
	other := item(1)
	other.Digest = digest(77)
	if a := store(k, other); a.Code != backup.Refused || a.Reason != envelope.ReasonConflict {
		t.Errorf("%+v", a)
	}
}

func TestOnlyTheRecipientFetches(t *testing.T) {
	t.Parallel()
	k := keeper(t, backup.Limits{}, item(3), item(1), item(2))
	for _, p := range []protocols.Key{author, fellows[0], outside} {
		if page, more := k.FetchAsked(start, p, nil); len(page) > 0 || more {
			t.Errorf("%v fetches %d", p, len(page))
		}
	}
	page, more := k.FetchAsked(start, friend, nil)
	if want := []envelope.Digest{digest(1), digest(2), digest(3)}; !slices.Equal(page, want) || more {
		t.Errorf("fetched %v", page)
	}
	after := digest(2)
	if page, _ := k.FetchAsked(start, friend, &after); !slices.Equal(page, []envelope.Digest{digest(3)}) {
		t.Errorf("after the second: %v", page)
	}
}

func TestAPageOfMailFitsIntoAFrame(t *testing.T) {
	t.Parallel()
	var items []backup.Item
	for i := range 5 {
		it := item(i)
		it.Size = envelope.MaxSize / 2
		items = append(items, it)
	}
	k := keeper(t, backup.Limits{}, items...)
	var all []envelope.Digest
	var after *envelope.Digest
	for pages := 1; ; pages++ {
		page, more := k.FetchAsked(start, friend, after)
		all = append(all, page...)
		if !more {
			if pages != 3 || len(all) != 5 {
				t.Errorf("%d in %d pages", len(all), pages)
			}
			return
		}
		if len(page) != 2 {
			t.Fatalf("%d in a page", len(page))
		}
		after = &page[1]
	}
}

func TestStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	it := item(1)
	k := keeper(t, backup.Limits{}, it)
	if a, prove := k.AuditAsked(outside, it.Digest); prove || a.Code != backup.Hash || a.Hash != nil {
		t.Errorf("audit: %+v", a)
	}
	if a := k.HoldersAsked(start, outside, &backup.Holders{Digest: it.Digest, Holders: []protocols.Key{outside}}); a.Code != backup.Done {
		t.Errorf("holders: %+v", a)
	}
	if holders, _, ok := k.HoldersOf(it.Digest); slices.Contains(holders, outside) || !ok {
		t.Error("a stranger made itself a holder")
	}
	for _, p := range append([]protocols.Key{author}, fellows...) {
		if _, prove := k.AuditAsked(p, it.Digest); !prove {
			t.Errorf("%v may not audit", p)
		}
	}
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	const cost = 1000 + 1024
	small := backup.Limits{Total: 100 * cost, PerRecipient: 4 * cost, PerAuthor: 6 * cost, PerAsker: 8 * cost}
	for name, c := range map[string]struct {
		limits backup.Limits
		change func(i int, it *backup.Item)
		want   int
	}{
		"per recipient":              {small, func(int, *backup.Item) {}, 4},
		"strangers to one recipient": {small, func(_ int, it *backup.Item) { it.Admitted = false }, 2},
		"per author":                 {small, func(i int, it *backup.Item) { it.To = key(100 + i) }, 6},
		"per asker":                  {small, func(i int, it *backup.Item) { it.To, it.From = key(100+i), key(200+i) }, 8},
		"in total": {
			backup.Limits{Total: 9 * cost, PerRecipient: 90 * cost, PerAuthor: 90 * cost, PerAsker: 90 * cost},
			func(int, *backup.Item) {}, 9,
		},
		"strangers in total": {
			backup.Limits{Total: 9 * cost, PerRecipient: 90 * cost, PerAuthor: 90 * cost, PerAsker: 90 * cost},
			func(i int, it *backup.Item) { it.Admitted = false }, 4,
		},
	} {
		k := backup.NewKeeper(me, c.limits, 1)
		var kept []backup.Item
		for i := range 20 {
			it := item(i)
			it.Holders = nil
			c.change(i, &it)
			switch a := store(k, it); {
			case a.Code == backup.Stored:
				kept = append(kept, it)
			case a.Code != backup.Refused || a.Reason != envelope.ReasonQuota:
				t.Errorf("%s: %+v", name, a)
			}
		}
		if len(kept) != c.want {
			t.Errorf("%s: %d kept, want %d", name, len(kept), c.want)
		}
		k.Tick(start.Add(25 * time.Hour)) // the end gives all room back
		if u := k.Usage(); u.Bytes != 0 || u.Copies != 0 {
			t.Errorf("%s: at the end %+v", name, u)
		}
	}
}

func TestWhatTheDiskDoesNotTakeIsNotKept(t *testing.T) {
	t.Parallel()
	k := backup.NewKeeper(me, backup.Limits{}, 1)
	it := item(1)
	if _, keep := k.StoreAsked(start, it); !keep {
		t.Fatal("refused")
	}
	if a, keep := k.StoreAsked(start, it); keep || a.Code != backup.Busy {
		t.Errorf("while it is on its way: %+v", a)
	}
	if a := k.Kept(start, it.Digest, false); a.Code != backup.Busy {
		t.Errorf("%+v", a)
	}
	if _, ok := k.Copy(it.Digest); ok || k.Usage().Bytes != 0 {
		t.Errorf("%+v", k.Usage())
	}
}

// reply answers the one question of a kind that is open.
func reply(k *backup.Keeper, now time.Time, q backup.Question, r backup.Reply) {
	k.Replied(now, q.To, q.N, &r)
}

func signed(q backup.Question, holder protocols.Key) backup.Reply {
	return backup.Reply{
		Answer:  backup.Answer{Code: backup.Stored},
		Storage: &backup.Storage{Holder: holder, Digest: q.Digest, End: uint64(start.Add(time.Hour).UnixMilli())},
	}
}

// placing is a keeper that has asked three of ten to hold a message of its own.
func placing(t *testing.T) (*backup.Keeper, []backup.Question) {
	t.Helper()
	var ten []protocols.Key
	for i := range 10 {
		ten = append(ten, key(30+i))
	}
	return placedAgain(t, nil, ten)
}

// placedAgain is the keeper of an author that was started again: before are those
// who held its message when it last ran, of whom only some are candidates now. It
// has asked three to store it.
func placedAgain(t *testing.T, before, candidates []protocols.Key) (*backup.Keeper, []backup.Question) {
	t.Helper()
	k := backup.NewKeeper(me, backup.Limits{}, 1)
	it := item(1)
	it.From, it.Holders = me, before
	k.Place(start, it)
	k.Tick(start)
	if look := k.Ready().Look; !slices.Equal(look, []protocols.Key{friend}) {
		t.Fatalf("looked for %v", look)
	}
	var all []backup.Candidate
	for _, p := range candidates {
		all = append(all, backup.Candidate{Key: p, Known: old})
	}
	k.Candidates(start, friend, all)
	ask := k.Ready().Ask
	if len(ask) != 3 {
		t.Fatalf("asked %d", len(ask))
	}
	return k, ask
}

func TestAMessageIsStoredWhenEnoughHaveSigned(t *testing.T) {
	t.Parallel()
	k, ask := placing(t)
	for i, q := range ask {
		others := q.Frame.(*backup.Store).Holders
		if len(others) != 2 || slices.Contains(others, q.To) || slices.Contains(others, me) {
			t.Errorf("told %v of the others", others)
		}
		if p, _ := k.Placement(q.Digest); p.Enough || p.Live != i {
			t.Errorf("%d have signed: %+v", i, p)
		}
		reply(k, start, q, signed(q, q.To))
	}
	p, ok := k.Placement(ask[0].Digest)
	if !ok || !p.Enough || p.Live != 3 || len(p.Holders) != 3 || !p.Holders[0].End.Equal(start.Add(time.Hour)) {
		t.Errorf("%+v", p)
	}
	if r := k.Ready(); r.Ask != nil { // all of them know of all of them
		t.Errorf("asked %+v", r.Ask)
	}
}

func TestAHolderThatRefusesOrLiesIsReplaced(t *testing.T) {
	t.Parallel()
	other := digest(99)
	for name, answer := range map[string]func(q backup.Question) backup.Reply{
		"full":              func(backup.Question) backup.Reply { return backup.Reply{Answer: backup.Answer{Code: backup.Refused}} },
		"busy":              func(backup.Question) backup.Reply { return backup.Reply{Answer: backup.Answer{Code: backup.Busy}} },
		"unsigned":          func(backup.Question) backup.Reply { return backup.Reply{Answer: backup.Answer{Code: backup.Stored}} },
		"signed by another": func(q backup.Question) backup.Reply { return signed(q, outside) },
		"signed for another": func(q backup.Question) backup.Reply {
			r := signed(q, q.To)
			r.Storage.Digest = other
			return r
		},
		"a made-up receipt": func(backup.Question) backup.Reply { return backup.Reply{Answer: backup.Answer{Code: backup.Gone}} },
	} {
		k, ask := placing(t)
		reply(k, start, ask[0], answer(ask[0]))
		next := k.Ready().Ask
		if len(next) != 1 || slices.ContainsFunc(ask, func(q backup.Question) bool { return q.To == next[0].To }) {
			t.Errorf("%s: asked %+v", name, next)
		}
		if p, _ := k.Placement(ask[0].Digest); p.Live != 0 {
			t.Errorf("%s: counted", name)
		}
	}
}

// TestAPromiseThatCameByARelayCounts: a relay keeps a message of this node: two
// more are asked, and all of them hear who the three are.
func TestAPromiseThatCameByARelayCounts(t *testing.T) {
	t.Parallel()
	k := backup.NewKeeper(me, backup.Limits{}, 1)
	it := item(1)
	it.From, it.Holders = me, nil
	promise := backup.Storage{Holder: outside, Digest: it.Digest, End: uint64(start.Add(time.Hour).UnixMilli())}
	k.Promised(start, promise) // of nothing that is placed
	k.Place(start, it)
	for _, holder := range []protocols.Key{me, friend} { // who are no holders of it
		k.Promised(start, backup.Storage{Holder: holder, Digest: it.Digest})
	}
	k.Promised(start, promise)
	k.Promised(start, promise)
	p, _ := k.Placement(it.Digest)
	if p.Live != 1 || len(p.Holders) != 1 || p.Holders[0].Key != outside || !p.Holders[0].End.Equal(start.Add(time.Hour)) {
		t.Fatalf("placed %+v", p)
	}
	stores := advance(k, start, start.Add(time.Second), everybody, everybody)
	if p, _ = k.Placement(it.Digest); len(stores) != 2 || !p.Enough || p.Live != 3 {
		t.Errorf("%d others asked, placed %+v", len(stores), p)
	}
	again := backup.NewKeeper(me, backup.Limits{}, 1)
	again.Place(start, it)
	again.Promised(start, promise)
	if placed := again.Ready().Placed; !slices.Contains(placed, it.Digest) {
		t.Errorf("the sender hears of %v", placed)
	}
	for _, q := range stores {
		if q.To == outside || !slices.Contains(q.Frame.(*backup.Store).Holders, outside) {
			t.Errorf("%v was told of %v", q.To, q.Frame.(*backup.Store).Holders)
		}
	}
}

// TestHoldersOfWhatIsDeliveredAreRemembered: who has not said that it knows is
// seen to have not.
func TestHoldersOfWhatIsDeliveredAreRemembered(t *testing.T) {
	t.Parallel()
	k, ask := placing(t)
	for _, q := range ask {
		reply(k, start, q, signed(q, q.To))
	}
	k.Ready()
	it := item(1)
	it.From = me
	r := &ack.Receipt{Kind: ack.Delivered, From: friend, To: me, Entries: []ack.Entry{{ID: it.ID, Digest: it.Digest.Short()}}}
	if k.Past(it.Digest) != nil {
		t.Error("it is past already")
	}
	k.Receipt(start, ask[0].To, r, []byte("receipt")) // a holder brings it
	drops := k.Ready().Ask
	if len(drops) != 2 {
		t.Fatalf("asked %+v", drops)
	}
	reply(k, start, drops[0], backup.Reply{Answer: backup.Answer{Code: backup.Done}})
	k.Unanswered(start, drops[1].N)
	told := make(map[protocols.Key]bool)
	for _, h := range k.Past(it.Digest) {
		told[h.Key] = h.Told
	}
	want := map[protocols.Key]bool{ask[0].To: true, drops[0].To: true, drops[1].To: false}
	if !reflect.DeepEqual(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	k.Tick(it.End)
	if k.Past(it.Digest) != nil {
		t.Error("it is remembered after the end")
	}
}

func TestAnAnswerIsGoodOnceAndFromWhoWasAsked(t *testing.T) {
	t.Parallel()
	k, ask := placing(t)
	q, r := ask[0], signed(ask[0], ask[0].To)
	if k.Replied(start, outside, q.N, &r) || k.Replied(start, q.To, q.N+100, &r) {
		t.Error("an answer that nobody asked for was taken")
	}
	if !k.Replied(start, q.To, q.N, &r) || k.Replied(start, q.To, q.N, &r) {
		t.Error("not taken once")
	}
}

// advance lets time pass and answers what is asked; who is not in alive is
// silent. It returns the stores that were asked for.
func advance(k *backup.Keeper, from, to time.Time, has func(p protocols.Key) bool, alive func(p protocols.Key) bool) (stores []backup.Question) {
	for now := from; ; {
		r := k.Ready()
		for _, look := range r.Look {
			var all []backup.Candidate
			for i := range 10 {
				all = append(all, backup.Candidate{Key: key(30 + i), Known: old})
			}
			k.Candidates(now, look, all)
		}
		for _, q := range r.Ask {
			if _, ok := q.Frame.(*backup.Store); ok {
				stores = append(stores, q)
				reply(k, now, q, signed(q, q.To))
				continue
			}
			if alive(q.To) {
				reply(k, now, q, backup.Reply{Answer: backup.Answer{Code: backup.Hash}, Proved: has(q.To)})
			}
		}
		if r.Look != nil || r.Ask != nil {
			continue
		}
		next := k.Deadline()
		if next.IsZero() || next.After(to) {
			return stores
		}
		now = next
		k.Tick(now)
	}
}

// TestSilenceInAnyFormIsFollowedUp has questions fail at once, as those to a
// closed port do, and several of them at a time.
func TestSilenceInAnyFormIsFollowedUp(t *testing.T) {
	t.Parallel()
	k := keeper(t, backup.Limits{}, item(1), item(2))
	dials := 0
	for now := start; now.Before(start.Add(10 * time.Minute)); now = k.Deadline() {
		k.Tick(now)
		for _, q := range k.Ready().Ask {
			dials++
			k.Unanswered(now, q.N)
		}
		if k.Deadline().IsZero() {
			break
		}
	}
	if dials < 8 { // both are found dead, and looked for again
		t.Errorf("looked %d times", dials)
	}
}

func everybody(protocols.Key) bool { return true }

func TestTheFirstByRankCopiesAndTheOthersWaitTheirTurn(t *testing.T) {
	t.Parallel()
	for i := range 8 { // whatever the ranks
		it := item(i)
		it.To = key(300 + i)
		k := backup.NewKeeper(me, backup.Limits{}, uint64(i))
		store(k, it)
		rank := func(p protocols.Key) uint64 { return backup.Rank(it.To, p) }
		mine, dead, other := rank(me), rank(fellows[1]), rank(fellows[0])
		// The ring goes down the ranks, and from the last to the first.
		watched := dead < mine && !(dead < other && other < mine) || mine < other && other < dead
		turn := time.Duration(0)
		if other > mine {
			turn = 10 * time.Second
		}
		alive := func(p protocols.Key) bool { return p != fellows[1] }
		const noticed = 35 * time.Second
		stores := advance(k, start, start.Add(noticed+turn), everybody, alive)
		if len(stores) == 1 != watched {
			t.Errorf("watched %v, turn %v: %d copies", watched, turn, len(stores))
		}
		stores = append(stores, advance(k, start.Add(noticed+turn), start.Add(20*time.Minute), everybody, alive)...)
		if len(stores) != 1 {
			t.Errorf("%d copies in the end", len(stores))
		}
	}
}

func TestWhoCannotShowACopyDoesNotCount(t *testing.T) {
	t.Parallel()
	k := keeper(t, backup.Limits{}, item(1))
	liar := func(p protocols.Key) bool { return p != fellows[1] }
	stores := advance(k, start, start.Add(10*time.Minute), liar, everybody)
	if len(stores) != 1 || stores[0].To == fellows[1] {
		t.Errorf("%d copies", len(stores))
	}
}

// TestWhoShowsNothingIsAskedForNothing has a holder fail audits of several
// envelopes: whatever else is to be kept goes to others while there are any.
func TestWhoShowsNothingIsAskedForNothing(t *testing.T) {
	t.Parallel()
	liar := fellows[1]
	all := []protocols.Key{liar, fellows[0], outside}
	// asked is who is asked to keep a new message of this node.
	asked := func(k *backup.Keeper, now time.Time, i int, all []protocols.Key) (keys []protocols.Key) {
		it := item(i)
		it.From, it.To, it.Holders, it.End = me, key(50+i), nil, now.Add(time.Hour)
		k.Place(now, it)
		k.Tick(now)
		k.Ready()
		var candidates []backup.Candidate
		for _, p := range all {
			candidates = append(candidates, backup.Candidate{Key: p, Known: old})
		}
		k.Candidates(now, it.To, candidates)
		for _, q := range k.Ready().Ask {
			if _, ok := q.Frame.(*backup.Store); ok {
				keys = append(keys, q.To)
			}
		}
		return keys
	}
	more := append([]protocols.Key{key(60), key(61)}, all...)
	for copies, trusted := range map[int]bool{2: true, 3: false} { // that it cannot show
		var items []backup.Item
		for i := range copies {
			items = append(items, item(i))
		}
		k := keeper(t, backup.Limits{}, items...)
		now := start.Add(40 * time.Minute)
		advance(k, start, now, func(p protocols.Key) bool { return p != liar }, everybody)
		if got := asked(k, now, 10, all); !slices.Contains(got, liar) {
			t.Errorf("%d: with nobody else, %v", copies, got)
		}
		found := false
		for i := range 10 {
			found = found || slices.Contains(asked(k, now, 20+i, more), liar)
		}
		if found != trusted {
			t.Errorf("%d envelopes not shown: asked %v", copies, found)
		}
		for i := range 10 { // time passes
			found = found || slices.Contains(asked(k, now.Add(2*time.Hour), 40+i, more), liar)
		}
		if !found {
			t.Errorf("%d: never asked again", copies)
		}
	}
}

func TestCopiesGoToOtherNetworksAndOldAcquaintances(t *testing.T) {
	t.Parallel()
	// A holder that has to find another: not one in its own network.
	for i := range 20 { // whatever the ranks
		it := item(1)
		it.To, it.Holders = key(300+i), fellows[:1]
		k := keeper(t, backup.Limits{}, it)
		k.Tick(start.Add(time.Minute))
		k.Ready()
		k.Candidates(start, it.To, []backup.Candidate{
			{Key: me, Place: "here"},
			{Key: fellows[0], Place: "there", Known: old},
			{Key: key(40), Place: "here", Known: old},
			{Key: key(41), Place: "there", Known: old},
			{Key: outside, Place: "elsewhere", Known: old},
		})
		if ask := k.Ready().Ask; len(ask) != 1 || ask[0].To != outside {
			t.Errorf("asked %+v", ask)
		}
	}
	// An author that has met most of them today: one of three may be new.
	for seed := range 20 {
		k := backup.NewKeeper(me, backup.Limits{}, 1)
		it := item(1)
		it.From, it.To, it.Holders = me, key(200+seed), nil
		k.Place(start, it)
		k.Tick(start)
		k.Ready()
		var all []backup.Candidate
		for i := range 12 {
			known := time.Hour
			if i < 3 {
				known = old
			}
			all = append(all, backup.Candidate{Key: key(30 + i), Known: known, Offers: i > 3, Uptime: 30 * time.Hour})
		}
		k.Candidates(start, it.To, all)
		ask, fresh := k.Ready().Ask, 0
		for _, q := range ask {
			if q.To != key(30) && q.To != key(31) && q.To != key(32) {
				fresh++
			}
		}
		if len(ask) != 3 || fresh > 1 {
			t.Errorf("%d asked, %d of them known since today", len(ask), fresh)
		}
	}
}

func TestAnAuthorWhoIsThereHearsOfNewHolders(t *testing.T) {
	t.Parallel()
	k := keeper(t, backup.Limits{}, item(1))
	k.PeerUp(start, author)
	k.Leave(start) // it needs another holder in its place
	k.Tick(start)
	k.Ready()
	k.Candidates(start, friend, []backup.Candidate{{Key: outside, Known: old}})
	ask := k.Ready().Ask
	if len(ask) != 1 || ask[0].To != outside {
		t.Fatalf("asked %+v", ask)
	}
	reply(k, start, ask[0], signed(ask[0], outside))
	var told []protocols.Key
	for _, q := range k.Ready().Ask {
		if f, ok := q.Frame.(*backup.Holders); ok && slices.Contains(f.Holders, outside) {
			told = append(told, q.To)
		}
	}
	if !slices.Contains(told, author) || !slices.Contains(told, fellows[0]) || !slices.Contains(told, fellows[1]) {
		t.Errorf("told %v", told)
	}

	// The author takes it from a holder it knows, and from nobody else.
	mine, placed := placing(t)
	reply(mine, start, placed[0], signed(placed[0], placed[0].To))
	d := placed[0].Digest
	mine.HoldersAsked(start, outside, &backup.Holders{Digest: d, Holders: []protocols.Key{key(77)}})
	mine.HoldersAsked(start, placed[0].To, &backup.Holders{Digest: d, Holders: []protocols.Key{key(78)}})
	p, _ := mine.Placement(d)
	if len(p.Holders) != 2 || p.Holders[1].Key != key(78) || p.Holders[0].Live || !p.Holders[1].Live {
		t.Errorf("holders %+v", p.Holders) // who named another, and not itself, has let go
	}
}

// Those who are asked are named to each other: one that refuses is still said to
// have the message by those who took it.
func TestWhoRefusedIsNoHolderByWordOfOthers(t *testing.T) {
	t.Parallel()
	k, ask := placing(t)
	full := ask[0].To
	reply(k, start, ask[0], backup.Reply{Answer: backup.Answer{Code: backup.Refused, Reason: envelope.ReasonQuota}})
	for _, q := range append(k.Ready().Ask, ask[1:]...) {
		reply(k, start, q, signed(q, q.To))
	}
	d := ask[0].Digest
	k.HoldersAsked(start, ask[1].To, &backup.Holders{Digest: d, Holders: []protocols.Key{full, ask[1].To, ask[2].To}})
	p, _ := k.Placement(d)
	if i := slices.IndexFunc(p.Holders, func(h backup.HolderState) bool { return h.Key == full }); p.Live != 3 || i >= 0 && p.Holders[i].Live {
		t.Errorf("%d live of %+v", p.Live, p.Holders)
	}
}

func TestAClaimCountsWhenItIsShown(t *testing.T) {
	t.Parallel()
	it := item(1)
	offer := &backup.Offer{Held: []backup.Held{{Digest: it.Digest, End: uint64(it.End.UnixMilli())}}}
	for _, honest := range []bool{true, false} { // those who claim; one of the fellows has lost it
		k := keeper(t, backup.Limits{}, it)
		k.OfferAsked(start, outside, offer)
		k.OfferAsked(start, key(21), offer)
		has := func(p protocols.Key) bool { return honest || p == fellows[0] }
		stores := advance(k, start, start.Add(5*time.Minute), has, everybody)
		if honest != (len(stores) == 0) {
			t.Errorf("honest %v: %d copies", honest, len(stores))
		}
	}
}

func TestTheFirstHolderPushesAtOnceAndAgainUntilTheReceipt(t *testing.T) {
	t.Parallel()
	it := item(1)
	it.Holders = nil
	k := keeper(t, backup.Limits{}, it)
	k.PeerUp(start, friend)
	k.Tick(start)
	want := []backup.Push{{To: friend, Digests: []envelope.Digest{it.Digest}}}
	if got := k.Ready().Push; !reflect.DeepEqual(got, want) {
		t.Fatalf("pushed %+v", got)
	}
	k.Tick(start.Add(20 * time.Second))
	if got := k.Ready().Push; !reflect.DeepEqual(got, want) {
		t.Fatalf("pushed again %+v", got)
	}
	r, raw := receiptFor(ack.Delivered, it)
	k.Receipt(start, friend, r, raw)
	k.Tick(start.Add(time.Hour))
	if got := k.Ready().Push; got != nil {
		t.Errorf("pushed after the receipt: %+v", got)
	}
}

func TestWhoLeavesHandsOver(t *testing.T) {
	t.Parallel()
	k := keeper(t, backup.Limits{}, item(1), item(2))
	k.Leave(start)
	if k.Settled() {
		t.Error("settled at once")
	}
	stores := advance(k, start, start.Add(time.Second), everybody, everybody)
	if len(stores) != 2 || !k.Settled() {
		t.Errorf("%d handed over, settled %v", len(stores), k.Settled())
	}
	if a := store(k, item(3)); a.Code != backup.Busy {
		t.Errorf("takes more while it leaves: %+v", a)
	}
}
