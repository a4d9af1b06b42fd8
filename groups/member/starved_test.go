package member_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// starving is bob, a member, whose hub has a shadow, and says that its log goes on.
func starving(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	d.m.Follow(d.now, member.Hub{Term: d.term, Primary: alice.Public(), Shadow: carol.Public()}, false)
	d.letIn()
	d.m.OnBeat(d.now, &wire.Beat{Seq: 3})
	d.second(true)
	return d
}

// second is one in which the hub is heard, or not; it says whether the hub withholds
// its log, and whom bob asks for it, from where.
func (d *desk) second(heard bool) (starves bool, asked []protocols.Key, from wire.Seq) {
	d.now = d.now.Add(time.Second)
	if heard {
		d.m.Heard(d.now)
	}
	d.m.Tick(d.now)
	starves = d.m.Starves(d.now)
	for _, s := range d.m.Ready().Send {
		if f, ok := s.Frame.(*wire.Sync); ok && s.To != d.hub.Public() {
			asked, from = append(asked, s.To), f.From
		}
	}
	return starves, asked, from
}

// after is how many seconds pass until something is so.
func (d *desk) after(most int, is func(starves bool, asked []protocols.Key) bool) int {
	d.t.Helper()
	for i := 1; i <= most; i++ {
		if starves, asked, _ := d.second(true); is(starves, asked) {
			return i
		}
	}
	d.t.Fatalf("not within %d s", most)
	return 0
}

// head is one of another log than bob's.
func (d *desk) head(seq wire.Seq) *wire.Head {
	d.t.Helper()
	h, err := wire.ParseHead(protocols.Main, wire.Head{Group: d.c.Group(), Term: d.term, Seq: seq, Log: wire.LogHash{1}}.Sign(d.hub))
	if err != nil {
		d.t.Fatal(err)
	}
	return h
}

func starves(yes bool, _ []protocols.Key) bool { return yes }
func asks(_ bool, of []protocols.Key) bool     { return len(of) > 0 }

// A hub is heard, and brings nothing of what it says it has. Others are asked after half
// a minute; if nobody has it either, the hub withholds it once it cannot be a record of
// the longest on a slow link.
func TestALogThatIsNotBroughtIsWithheld(t *testing.T) {
	t.Parallel()
	for name, learn := range map[string]func(d *desk){
		"by its beat":        func(d *desk) { d.m.OnBeat(d.now, &wire.Beat{Seq: 2}) },
		"by a head past it":  func(d *desk) { d.m.OnHead(d.head(2)) },
		"by what it answers": func(d *desk) { d.m.OnAccepted(&wire.Accepted{Records: []wire.AcceptedRecord{{Seq: 2}}}) },
		"by a head of its log, where this one is another": func(d *desk) {
			d.carolLeads()
			d.second(true)
			d.m.OnHead(d.head(1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.m.Follow(d.now, member.Hub{Term: d.term, Primary: alice.Public(), Shadow: carol.Public()}, false)
			d.letIn()
			for range 100 {
				if yes, asked, _ := d.second(true); yes || len(asked) > 0 {
					t.Fatal("nothing is missing")
				}
			}
			learn(d)
			if n := d.after(40, asks); n != 30 {
				t.Errorf("others are asked after %d s", n)
			}
			if n := d.after(40, starves); n != 22 {
				t.Errorf("it is withheld %d s later", n)
			}
		})
	}
}

// What the shadow brings is taken under the hub's signature; and if a slow link does not
// explain that the hub did not bring it, the hub withholds it. From then on others are
// asked at once.
func TestWhatTheHubDoesNotBringComesFromOthers(t *testing.T) {
	t.Parallel()
	for size, at := range map[int]bool{100: true, 100 << 10: false} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			d := starving(t)
			d.after(40, asks)
			p := d.page(d.hashAt(1), 2, d.record(), d.signed(alice, wire.RecordID{77}, wire.KindMessage, make([]byte, size)))
			if err := d.m.OnBrought(d.now, carol.Public(), p); err != nil || d.ledger.Log().Seq() != 3 {
				t.Fatalf("%v, log up to %d", err, d.ledger.Log().Seq())
			}
			if ack := d.m.Acknowledge(d.now); ack == nil || ack.Seq != 3 {
				t.Errorf("the hub is told %+v", ack)
			}
			if yes, _, _ := d.second(true); yes != at {
				t.Errorf("withheld: %v", yes)
			}
			d.m.OnBeat(d.now, &wire.Beat{Seq: 4})
			if n := d.after(9, asks); n > 2 {
				t.Errorf("others are asked after %d s more", n)
			}
			d.after(3, starves)
		})
	}
}

// A hub that brings a page, goes silent, or is not heard because this node stood still,
// withholds nothing.
func TestWhatIsLateIsNotWithheld(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(d *desk){
		"a page comes with all there was": func(d *desk) { d.behind(d.record(), d.record()); d.m.OnBeat(d.now, &wire.Beat{Seq: 1 << 30}) },
		"a page comes with much":          func(d *desk) { d.behind(d.large()); d.m.OnBeat(d.now, &wire.Beat{Seq: 1 << 30}) },
		"a snapshot comes": func(d *desk) {
			h := newHistory(d)
			h.append(entryAt(d, 1))
			h.append(d.record())
			if taken, _, err := d.show(h.snapshot(alice, nil)); !taken {
				d.t.Fatal(err)
			}
			d.m.OnBeat(d.now, &wire.Beat{Seq: 1 << 30})
		},
		"the hub is silent":           func(d *desk) { d.now = d.now.Add(time.Second); d.silent(11) },
		"this node stood still":       func(d *desk) { d.now = d.now.Add(6 * time.Second) },
		"another hub is followed":     func(d *desk) { d.carolLeads(); d.m.OnBeat(d.now, &wire.Beat{Seq: 3}) },
		"a page comes late, too late": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := starving(t)
			if happens == nil {
				d.after(40, asks)
				p := d.page(d.hashAt(1), 2, d.record(), d.record())
				if err := d.m.OnBrought(d.now, carol.Public(), p); err != nil {
					t.Fatal(err)
				}
				d.taken(p)
				d.m.OnBeat(d.now, &wire.Beat{Seq: 4})
			} else {
				for range 28 {
					d.second(true)
				}
				happens(d)
			}
			for range 29 {
				if yes, asked, _ := d.second(true); yes || len(asked) > 0 {
					t.Fatal("withheld")
				}
			}
			d.after(40, asks)
		})
	}
}

// Whom the hub owes nothing accuses it of nothing: who is no member, whom it has told so,
// and the hub itself.
func TestWhoIsOwedNothingIsNotStarved(t *testing.T) {
	t.Parallel()
	for name, becomes := range map[string]func(d *desk){
		"no member yet": func(d *desk) {},
		"no member any more": func(d *desk) {
			d.letIn()
			for range 4 { // its join may be all that is missing
				d.m.OnRefused(d.now, &wire.Refused{Group: d.c.Group(), Reason: envelope.ReasonNotMember})
			}
		},
		"the hub": func(d *desk) {
			d.letIn()
			d.m.Follow(d.now, member.Hub{Term: d.term, Primary: bob.Public(), Leads: true}, false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			becomes(d)
			d.m.OnBeat(d.now, &wire.Beat{Seq: 9})
			for range 100 {
				if yes, asked, _ := d.second(true); yes || len(asked) > 0 {
					t.Fatal("withheld")
				}
			}
		})
	}
}

// A log that was longer than the hub's is made its log page by page, for as long as that
// takes.
func TestALogThatIsReplacedIsNotStarved(t *testing.T) {
	t.Parallel()
	d := starving(t)
	for range 9 {
		d.behind(d.record())
	}
	d.carolLeads()
	d.m.OnBeat(d.now, &wire.Beat{Seq: 99})
	hash := d.hashAt(1)
	for s := wire.Seq(2); s < 9; s++ {
		for range 25 {
			if yes, asked, _ := d.second(true); yes || len(asked) > 0 {
				t.Fatal("withheld")
			}
		}
		d.taken(d.page(hash, s, d.large()))
		hash = d.hashAt(s)
	}
}

// large is a record that makes a page full.
func (d *desk) large() *wire.Record {
	d.id++
	return d.signed(alice, wire.RecordID{d.id}, wire.KindMessage, make([]byte, 8<<10))
}

// A hub that has more to bring, and brings one small record after another, each in time,
// withholds its log as one that brings nothing: it would have them together.
func TestALogThatIsBroughtDropByDropIsWithheld(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		record func(*desk) *wire.Record
		each   int
		want   bool
	}{
		"a small one":                {(*desk).record, 29, true},
		"a small one, more often":    {(*desk).record, 5, true},
		"a small one in each second": {(*desk).record, 1, true},
		"a large one":                {(*desk).large, 29, false},
	} {
		d := starving(t)
		d.m.OnBeat(d.now, &wire.Beat{Seq: 1 << 20})
		named := false
		for i := range 240 {
			if i%x.each == 0 {
				d.behind(x.record(d))
			}
			yes, _, _ := d.second(true)
			named = named || yes
		}
		if named != x.want {
			t.Errorf("%s each %d s: withheld %v", name, x.each, named)
		}
	}
}

// A page that is worth more than the time that has passed is no credit for the next.
func TestWhatIsBroughtAtOnceIsNoCredit(t *testing.T) {
	t.Parallel()
	d := starving(t)
	d.m.OnBeat(d.now, &wire.Beat{Seq: 1 << 20})
	for range 9 {
		d.second(true)
	}
	d.behind(d.signed(alice, wire.RecordID{77}, wire.KindMessage, make([]byte, 200<<10)))
	if n := d.after(60, asks); n > 31 {
		t.Errorf("others are asked %d s after it", n)
	}
}

// Who never catches up with a busy hub, because there is always something new, is brought
// what there was: that counts.
func TestWhoIsAlwaysALittleBehindIsNotStarved(t *testing.T) {
	t.Parallel()
	d := starving(t)
	for range 100 {
		p, hash := d.ledger.Log().End()
		d.m.OnBeat(d.now, &wire.Beat{Seq: p.Seq + 2})
		if yes, asked, _ := d.second(true); yes || len(asked) > 0 {
			t.Fatal("withheld")
		}
		if d.id%2 == 0 {
			d.taken(d.page(hash, p.Seq+1, d.record(), d.record()))
		} else {
			d.taken(d.page(hash, p.Seq+1, d.record()))
		}
	}
}

func (d *desk) silent(seconds int) {
	for range seconds {
		d.second(false)
	}
}

// A page that this node has, brought again and again, is no new one.
func TestTheSamePageAgainFeedsNobody(t *testing.T) {
	t.Parallel()
	d := starving(t)
	old := d.page(d.c.Hash(), 1, entryAt(d, 1))
	d.after(60, func(yes bool, _ []protocols.Key) bool {
		d.taken(old)
		return yes
	})
}

// Others are asked in turn; what nobody asked them for, or is not what the hub signed,
// is not taken.
func TestOnlyWhatIsAskedForIsTakenFromOthers(t *testing.T) {
	t.Parallel()
	d := starving(t)
	page := func(rs ...*wire.Record) *wire.Records { return d.page(d.hashAt(1), 2, rs...) }
	brought := func(f *wire.Records) error { return d.m.OnBrought(d.now, carol.Public(), f) }
	if err := brought(page(d.record())); err != nil || d.ledger.Log().Seq() != 1 {
		t.Errorf("what was not asked for: %v, log up to %d", err, d.ledger.Log().Seq())
	}
	d.after(40, asks)
	for name, c := range map[string]struct {
		forge func() *wire.Records
		bad   bool
	}{
		"another record than the head's": {func() *wire.Records {
			f := page(d.record())
			f.Entries = page(d.record()).Entries
			return f
		}, true},
		"more than the head is about": {func() *wire.Records {
			f := page(d.record())
			f.Entries = append(f.Entries, page(d.record()).Entries...)
			return f
		}, true},
		"signed by nobody": {func() *wire.Records {
			f := page(d.record())
			f.Head[len(f.Head)-1] ^= 1
			return f
		}, true},
		"of another hub": {func() *wire.Records {
			d.hub = carol
			defer func() { d.hub = alice }()
			return page(d.record())
		}, false},
		"of another term": {func() *wire.Records {
			now := d.term
			d.term.Opened = wire.HubHash{9}
			defer func() { d.term = now }()
			return page(d.record())
		}, false},
		"behind another log": {func() *wire.Records { return d.page(wire.LogHash{1}, 2, d.record()) }, false},
		"nothing":            {func() *wire.Records { return &wire.Records{} }, false},
	} {
		if err := brought(c.forge()); (err != nil) != c.bad || d.ledger.Log().Seq() != 1 {
			t.Errorf("%s: %v, log up to %d", name, err, d.ledger.Log().Seq())
		}
	}
	if err := brought(page(d.record())); err != nil || d.ledger.Log().Seq() != 2 {
		t.Errorf("what was asked for: %v, log up to %d", err, d.ledger.Log().Seq())
	}
}

// Whose log is another is asked for ever earlier places of it.
func TestOthersAreAskedForEarlierPlacesToo(t *testing.T) {
	t.Parallel()
	d := starving(t)
	for range 7 {
		d.behind(d.record())
	}
	d.m.OnBeat(d.now, &wire.Beat{Seq: 100})
	var asked []wire.Seq
	for range 60 {
		if _, of, from := d.second(true); len(of) > 0 && len(asked) < 9 {
			asked = append(asked, from)
		}
	}
	if got := fmt.Sprint(asked); got != "[8 8 8 7 6 4 0 0 0]" {
		t.Errorf("places %s", got)
	}
	if err := d.m.OnBrought(d.now, carol.Public(), d.page(d.hashAt(8), 9, d.record())); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(askedEach)
	if _, _, from := d.second(true); from != 9 {
		t.Errorf("when something has come they are asked for what stands behind %d", from)
	}
}

// askedEach is how long it takes until others are asked again.
const askedEach = 2 * time.Second

// All who may have the log are asked in turn, three at a time: the shadow first, and
// not the hub.
func TestOthersAreAskedInTurn(t *testing.T) {
	t.Parallel()
	d := starving(t)
	others := map[protocols.Key]int{carol.Public(): 0}
	for i := range byte(5) {
		s := signer(20 + i)
		others[s.Public()] = 0
		d.behind(d.signed(s, wire.RecordID{i}, wire.KindJoin, (&wire.Join{}).Append(nil)))
	}
	d.m.OnBeat(d.now, &wire.Beat{Seq: 99})
	for i := range 4 {
		var asked []protocols.Key
		seconds := d.after(60, func(_ bool, of []protocols.Key) bool { asked = of; return len(of) > 0 })
		if i > 0 && seconds != int(askedEach/time.Second) || len(asked) != 3 || i == 0 && asked[0] != carol.Public() {
			t.Errorf("%d are asked after %d s", len(asked), seconds)
		}
		for _, k := range asked {
			others[k]++
		}
	}
	for k, n := range others {
		if n != 2 || len(others) != 6 {
			t.Errorf("of %d others %v is asked %d times", len(others), k, n)
		}
	}
}

// A page for others goes as far as a head covers it, and there is none for whose log is
// another.
func TestOthersAreBroughtWhatAHeadCovers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.behind(d.record())
	for range 3 {
		d.behind(d.record(), d.record())
	}
	big := d.signed(alice, wire.RecordID{77}, wire.KindMessage, make([]byte, journal.PageBytes-300))
	d.behind(big)
	for from, want := range map[wire.Seq]int{0: 7, 1: 6, 2: 5, 7: 1, 8: 0} {
		f := d.m.Page(from, d.hashOf(from))
		if want == 0 {
			if f != nil {
				t.Errorf("behind %d: %d entries", from, len(f.Entries))
			}
			continue
		}
		other := newDesk(t)
		for s := wire.Seq(1); s <= from; s++ {
			other.behind(entryAt(d, s))
		}
		if f == nil || len(f.Entries) != want || other.take(f) != nil || other.ledger.Log().Seq() != from+wire.Seq(want) {
			t.Errorf("behind %d it is not %d entries", from, want)
		}
	}
	if d.m.Page(1, wire.LogHash{1}) != nil || d.m.Page(99, wire.LogHash{}) != nil {
		t.Error("whose log is another is brought something")
	}
	d.carolLeads()
	if d.m.Page(0, d.hashOf(0)) != nil {
		t.Error("what only the hub before has signed is brought")
	}
}

// hashOf is hashAt, or the hash that the log begins with.
func (d *desk) hashOf(s wire.Seq) wire.LogHash {
	if s == 0 {
		return wire.LogHash(d.c.Hash())
	}
	return d.hashAt(s)
}

// What others bring is looked at as what the hub brings is.
func TestWhatIsAheadIsNamedWhoeverBringsIt(t *testing.T) {
	t.Parallel()
	d := starving(t)
	d.after(40, asks)
	d.m.Ready()
	if err := d.m.OnBrought(d.now, carol.Public(), d.page(d.hashAt(1), 2, d.writtenAhead(time.Hour))); err != nil {
		t.Fatal(err)
	}
	if err := mistimed(d.m.Ready()); !errors.Is(err, member.ErrFuture) {
		t.Error(err)
	}
}

// A page that others bring is held to what the invite spoke of, as the hub's own is.
func TestWhatOthersBringIsTheLogThatWasPromised(t *testing.T) {
	t.Parallel()
	for name, promised := range map[string]bool{"the log": true, "another": false} {
		d := starving(t)
		d.after(40, asks)
		p := d.page(d.hashAt(1), 2, d.signed(alice, wire.RecordID{77}, wire.KindMessage, nil))
		head, err := wire.ParseHead(protocols.Main, p.Head)
		if err != nil {
			t.Fatal(err)
		}
		root := member.Root{Seq: 2, Log: head.Log, Roster: d.ledger.Fold().Version(), RosterHash: d.ledger.Fold().Hash()}
		if !promised {
			root.Log[0]++
		}
		d.m.Promise(root)
		err = d.m.OnBrought(d.now, carol.Public(), p)
		if got := d.ledger.Log().Seq() == 2; err != nil || got != promised || (d.m.Root() == nil) != promised {
			t.Errorf("%s: %v, taken %v, yet to be seen %v", name, err, got, d.m.Root())
		}
	}
}

// What several bring is taken once: nothing that is here is read, or told of, again, and
// an older head does not go before the newest.
func TestWhatIsHereAlreadyIsNotTakenAgain(t *testing.T) {
	t.Parallel()
	d := starving(t)
	d.after(40, asks)
	first := d.page(d.hashAt(1), 2, d.record())
	if err := d.m.OnBrought(d.now, carol.Public(), first); err != nil {
		t.Fatal(err)
	}
	if err := d.m.OnBrought(d.now, carol.Public(), d.page(d.hashAt(2), 3, d.record())); err != nil || d.m.Acknowledge(d.now) == nil {
		t.Fatal(err)
	}
	if err := d.m.OnBrought(d.now, carol.Public(), first); err != nil {
		t.Fatal(err)
	}
	if ack, newest := d.m.Acknowledge(d.now), d.m.Head().Seq; ack != nil || newest != 3 {
		t.Errorf("the hub is told %+v, the newest head is of %d", ack, newest)
	}
}

// When a hub is followed anew, what it has is known to be missing before this node has
// looked: it looks a second later, and not again and again until then.
func TestANewHubIsLookedAtASecondLater(t *testing.T) {
	t.Parallel()
	d := starving(t)
	d.carolLeads()
	d.m.OnBeat(d.now, &wire.Beat{Seq: 99})
	if past := d.now.Sub(d.m.Deadline()); past > 0 {
		t.Errorf("it wants to be called %v ago", past)
	}
}

// A head of another log that the hub signed too covers nothing.
func TestAPageForOthersIsUnderAHeadOfItsLog(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.behind(d.record(), d.record())
	d.behind(d.record(), d.signed(alice, wire.RecordID{77}, wire.KindMessage, make([]byte, journal.PageBytes-300)))
	d.m.OnHead(d.head(3))
	if f := d.m.Page(0, d.hashOf(0)); f == nil || len(f.Entries) != 2 {
		t.Errorf("%+v", f)
	}
}

// While something is missing this node wants to look each second.
func TestWhatIsMissingIsLookedAfterEachSecond(t *testing.T) {
	t.Parallel()
	d := starving(t)
	for range 9 {
		d.second(true)
		if next := d.m.Deadline().Sub(d.now); next < 0 || next > time.Second {
			t.Fatalf("it wants to be called in %v", next)
		}
	}
}
