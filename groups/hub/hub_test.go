package hub_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/hub"
	"github.com/tom-protocol/tom/groups/ledger"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

var (
	start             = time.UnixMilli(1_790_000_000_123)
	alice, bob, carol = signer(1), signer(2), signer(3)
)

func signer(n byte) protocols.Signer {
	return protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, 32)))
}

// desk is alice's hub, with bob and carol in the group.
type desk struct {
	t      *testing.T
	hub    *hub.Hub
	ledger *ledger.Ledger
	group  wire.GroupID
	now    time.Time
	sent   map[protocols.Key][]wire.Frame
	ready  hub.Ready
	id     uint16
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	c, err := wire.ParseCharter(protocols.Main, wire.Charter{Settings: wire.Settings{Open: true, Max: 9, Beat: 500}}.Sign(alice))
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, ledger: ledger.New(protocols.Main, c), group: c.Group(), now: start, sent: make(map[protocols.Key][]wire.Frame)}
	d.hub = hub.New(hub.Config{
		Group: d.group, Signer: alice, Verifier: protocols.Main, Ledger: d.ledger, Term: wire.Term{Number: 1, Opened: wire.HubHash{1}}, Beat: 500 * time.Millisecond,
	})
	d.step(hub.View{Open: true, Silent: true})
	for _, s := range []protocols.Signer{bob, carol} {
		d.publish(s, d.entry(s, wire.KindJoin, (&wire.Join{}).Append(nil)))
		d.attach(s)
	}
	d.take()
	return d
}

func (d *desk) step(v hub.View) { d.hub.Step(d.now, v) }

// shadowed says that bob is shadow.
func (d *desk) shadowed(silent bool) {
	d.step(hub.View{Open: true, Shadow: bob.Public(), Silent: silent})
}

func (d *desk) entry(s protocols.Signer, kind wire.Kind, payload []byte) *wire.Entry {
	d.t.Helper()
	d.id++
	r, err := wire.ParseRecord(wire.SignRecords(s, []wire.Record{{
		Group: d.group, ID: wire.RecordID{byte(d.id), byte(d.id >> 8)}, Kind: kind, Time: wire.Millis(d.now.UnixMilli()), Payload: payload,
	}})[0])
	if err != nil {
		d.t.Fatal(err)
	}
	return &wire.Entry{Record: r}
}

func (d *desk) message(s protocols.Signer) *wire.Entry {
	return d.entry(s, wire.KindMessage, (&wire.Message{Roster: d.ledger.Fold().Version()}).Append(nil))
}

func (d *desk) publish(s protocols.Signer, es ...*wire.Entry) { d.hub.Publish(d.now, s.Public(), es) }

func (d *desk) attach(s protocols.Signer) {
	p, h := d.ledger.Log().End()
	d.hub.Attach(d.now, s.Public(), p.Seq, h)
}

// take collects what was sent since it was asked last.
func (d *desk) take() map[protocols.Key][]wire.Frame {
	d.hub.Feed(d.now)
	d.ready = d.hub.Ready()
	sent := make(map[protocols.Key][]wire.Frame)
	for _, x := range d.ready.Send {
		sent[x.To] = append(sent[x.To], x.Frame)
	}
	return sent
}

// find returns the first frame of a type, nil if there is none.
func find[F wire.Frame](frames []wire.Frame) (none F) {
	for _, f := range frames {
		if x, ok := f.(F); ok {
			return x
		}
	}
	return none
}

func (d *desk) acked(s protocols.Signer) {
	p, h := d.ledger.Log().End()
	d.hub.Replicated(d.now, s.Public(), p.Seq, h)
}

func TestNothingIsAcceptedOrShownBeforeTheShadowHasIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.shadowed(false)
	d.acked(bob) // the joins
	d.publish(carol, d.message(carol))
	sent := d.take()
	if find[*wire.Accepted](sent[carol.Public()]) != nil || find[*wire.Records](sent[carol.Public()]) != nil {
		t.Error("carol hears of it before the shadow has it")
	}
	if f := find[*wire.Records](sent[bob.Public()]); f == nil || !wire.OnHub(f) {
		t.Fatal("nothing is replicated to the shadow")
	}
	d.hub.Replicated(d.now, bob.Public(), d.ledger.Log().Seq(), wire.LogHash{9}) // of another log
	if sent = d.take(); len(sent) > 0 {
		t.Errorf("a wrong hash is taken for an acknowledgement: %v", sent)
	}
	d.acked(bob)
	d.shadowed(false)
	sent = d.take()
	if a := find[*wire.Accepted](sent[carol.Public()]); a == nil || a.Replicas != 2 {
		t.Errorf("%+v", a)
	}
	if find[*wire.Records](sent[carol.Public()]) == nil {
		t.Error("it is not sent to carol")
	}
}

func TestWithoutShadowOneReplicaIsSaid(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.shadowed(false)
	d.publish(carol, d.message(carol))
	d.take()
	d.shadowed(true)
	if a := find[*wire.Accepted](d.take()[carol.Public()]); a == nil || a.Replicas != 1 {
		t.Errorf("%+v", a)
	}
}

func TestAClosedHubQueuesAndSaysWhenItIsFull(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.step(hub.View{Shadow: bob.Public()})
	seq := d.ledger.Log().Seq()
	e := d.message(carol)
	d.publish(carol, e)
	d.publish(carol, e) // again: it waits once
	if sent := d.take(); len(sent) > 0 || d.ledger.Log().Seq() != seq {
		t.Errorf("a closed hub says %v", sent)
	}
	d.step(hub.View{Open: true, Silent: true})
	if a := find[*wire.Accepted](d.take()[carol.Public()]); a == nil || d.ledger.Log().Seq() != seq+1 {
		t.Errorf("%+v, seq %d", a, d.ledger.Log().Seq())
	}
	d.step(hub.View{})
	var last *wire.Busy
	for range 4200 {
		d.id = 0
		big := d.entry(carol, wire.KindMessage, (&wire.Message{Roster: d.ledger.Fold().Version(), Index: wire.Index(len(d.sent))}).Append(nil))
		r := *big.Record
		r.ID = wire.RecordID{byte(len(d.sent)), byte(len(d.sent) >> 8), 7}
		d.sent[protocols.Key{byte(len(d.sent)), byte(len(d.sent) >> 8), 1}] = nil
		d.publish(carol, &wire.Entry{Record: &r})
		if b := find[*wire.Busy](d.take()[carol.Public()]); b != nil {
			last = b
			break
		}
	}
	if last == nil || last.Retry == 0 {
		t.Error("a full queue says nothing")
	}
}

func TestRefusalsSayWhy(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	late := d.message(carol)
	d.now = d.now.Add(25 * time.Hour)
	old := d.entry(carol, wire.KindMessage, (&wire.Message{Roster: 0}).Append(nil))
	names, _ := d.ledger.Fold().Names(bob.Public())
	d.publish(alice, d.entry(alice, wire.KindKick, (&wire.Target{Kind: wire.KindKick, Member: bob.Public(), Names: names}).Append(nil)))
	d.take()
	for name, c := range map[string]struct {
		by     protocols.Signer
		e      *wire.Entry
		reason envelope.Reason
		value  uint64
	}{
		"too old":                      {carol, late, envelope.ReasonClock, uint64(d.now.UnixMilli())},
		"by one who was kicked":        {bob, d.message(bob), envelope.ReasonNotMember, 0},
		"under a chain before a kick":  {carol, old, envelope.ReasonRoster, uint64(d.ledger.Fold().Version())},
		"beyond its author's rights":   {carol, d.entry(carol, wire.KindRename, (&wire.Rename{}).Append(nil)), envelope.ReasonPolicy, 0},
		"a payload that is none":       {carol, d.entry(carol, wire.KindMessage, []byte{0x90}), envelope.ReasonPolicy, 0},
		"a snapshot that is not right": {alice, d.entry(alice, wire.KindSnapshot, []byte{0x90}), envelope.ReasonPolicy, 0},
	} {
		seq := d.ledger.Log().Seq()
		d.publish(c.by, c.e)
		sent := d.take()
		f := find[*wire.Refused](sent[c.by.Public()])
		if c.by.Public() == alice.Public() && len(d.ready.Refused) == 1 {
			own := d.ready.Refused[0]
			f = &wire.Refused{Record: own.Name.ID, Reason: own.Reason, Value: own.Value}
		}
		if f == nil || f.Record != c.e.Record.ID || f.Reason != c.reason || f.Value != c.value || d.ledger.Log().Seq() != seq {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestARecordStandsOnceAndIsAnsweredAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.step(hub.View{Open: true, Silent: true})
	e := d.message(carol)
	d.publish(carol, e)
	first := find[*wire.Accepted](d.take()[carol.Public()])
	seq := d.ledger.Log().Seq()
	d.publish(bob, e)
	again := find[*wire.Accepted](d.take()[bob.Public()])
	if first == nil || again == nil || again.Records[0] != first.Records[0] || d.ledger.Log().Seq() != seq {
		t.Errorf("%+v, then %+v", first, again)
	}
	other := d.message(carol)
	forged := *other.Record
	forged.ID = e.Record.ID
	b := wire.SignRecords(carol, []wire.Record{forged})[0]
	r, err := wire.ParseRecord(b)
	if err != nil {
		t.Fatal(err)
	}
	r.Time++
	d.publish(carol, &wire.Entry{Record: r})
	if d.ledger.Log().Seq() != seq {
		t.Error("a second record of one name stands in the log")
	}
}

func TestAMemberWithAnotherLogIsSentBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.hub.Attach(d.now, carol.Public(), 2, wire.LogHash{7})
	f := find[*wire.Refused](d.take()[carol.Public()])
	if f == nil || f.Reason != envelope.ReasonConflict || f.Value != 1 || f.Record != (wire.RecordID{}) {
		t.Fatalf("%+v", f)
	}
	hash, _ := d.ledger.Log().HashAt(1)
	d.hub.Sync(d.now, carol.Public(), &wire.Sync{N: 5, Group: d.group, From: 1, Log: hash})
	sent := d.take()[carol.Public()]
	end, page := find[*wire.PageEnd](sent), find[*wire.Records](sent)
	if end == nil || end.N != 5 || !end.More || page == nil || page.First != 2 || len(page.Entries) != 1 {
		t.Errorf("%+v, %+v", end, page)
	}
}

// Who was kicked gets the log as far as the kick, whatever log it has, and nothing
// behind it.
func TestWhoIsOutGetsTheLogAsFarAsItsKick(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	names, _ := d.ledger.Fold().Names(carol.Public())
	d.publish(alice, d.entry(alice, wire.KindKick, (&wire.Target{Kind: wire.KindKick, Member: carol.Public(), Names: names}).Append(nil)))
	d.publish(alice, d.message(alice))
	kick := d.ledger.Log().Seq() - 1
	check := func(sent []wire.Frame) {
		t.Helper()
		page := find[*wire.Records](sent)
		if page == nil || page.First+wire.Seq(len(page.Entries))-1 != kick {
			t.Fatalf("a page up to %d, not %+v", kick, page)
		}
	}
	check(d.take()[carol.Public()])
	d.hub.Attach(d.now, carol.Public(), 5, wire.LogHash{7})
	if f := find[*wire.Refused](d.take()[carol.Public()]); f == nil || f.Reason != envelope.ReasonConflict {
		t.Fatalf("it is not sent back: %+v", f)
	}
	hash, _ := d.ledger.Log().HashAt(1)
	d.hub.Sync(d.now, carol.Public(), &wire.Sync{N: 1, Group: d.group, From: 1, Log: hash})
	check(d.take()[carol.Public()])
	hash, _ = d.ledger.Log().HashAt(kick)
	d.hub.Replicated(d.now, carol.Public(), kick, hash)
	d.publish(bob, d.message(bob))
	if sent := d.take()[carol.Public()]; len(sent) > 0 {
		t.Errorf("it is sent %+v behind the kick", sent)
	}
}

func TestTheShadowIsSentAgainWhatItDidNotAcknowledge(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.shadowed(false)
	d.publish(carol, d.message(carol))
	d.shadowed(false)
	d.take()
	d.now = d.now.Add(500 * time.Millisecond)
	d.shadowed(false)
	if f := find[*wire.Records](d.take()[bob.Public()]); f == nil || f.First+wire.Seq(len(f.Entries)) != d.ledger.Log().Seq()+1 {
		t.Error("the end of the log is not sent again")
	}
	if d.hub.Oldest() != start {
		t.Errorf("the oldest waits since %v", d.hub.Oldest())
	}
}

// One member that acknowledges nothing is sent a bounded part, and gets the rest
// in larger pages when it does; another gets all meanwhile.
func TestASilentMemberHoldsUpNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const records = 500
	pages, entries, ends := map[protocols.Key]int{}, map[protocols.Key]int{}, map[protocols.Key]wire.Seq{}
	take := func() {
		for k, frames := range d.take() {
			for _, f := range frames {
				if page, ok := f.(*wire.Records); ok {
					pages[k]++
					entries[k] += len(page.Entries)
					ends[k] = page.First + wire.Seq(len(page.Entries)) - 1
				}
			}
		}
	}
	for range records {
		d.publish(alice, d.message(alice))
		take()
		d.holds(bob, ends[bob.Public()])
		take()
	}
	d.now = d.hub.Deadline()
	take()
	if got := entries[bob.Public()]; got != records {
		t.Errorf("who acknowledges was sent %d of %d records", got, records)
	}
	if got := pages[carol.Public()]; got > 40 || got < 10 {
		t.Errorf("who does not was sent %d pages", got)
	}
	d.holds(carol, ends[carol.Public()])
	if sent := pagesOf(d.take()[carol.Public()]); len(sent) == 0 || sent[0].entries < 90 {
		t.Fatalf("then it is sent %+v", sent)
	}
	d.acked(carol)
	d.acked(bob)
	d.now = d.now.Add(time.Second)
	d.take()
	d.publish(bob, d.message(bob))
	sent := d.take()
	a, b := find[*wire.Records](sent[bob.Public()]), find[*wire.Records](sent[carol.Public()])
	if a == nil || a != b {
		t.Errorf("members that lack the same are sent %p and %p", a, b)
	}
}

// sentPage is what is looked at of a page.
type sentPage struct {
	last    wire.Seq
	entries int
}

// pagesOf returns the pages among frames.
func pagesOf(frames []wire.Frame) (list []sentPage) {
	for _, f := range frames {
		if p, ok := f.(*wire.Records); ok {
			list = append(list, sentPage{p.First + wire.Seq(len(p.Entries)) - 1, len(p.Entries)})
		}
	}
	return list
}

// holds lets a member say that it holds the log up to a seq.
func (d *desk) holds(s protocols.Signer, to wire.Seq) {
	hash, _ := d.ledger.Log().HashAt(to)
	d.hub.Replicated(d.now, s.Public(), to, hash)
}

// says publishes so many messages, one after the other, each of which bob takes at once:
// so ever more may be under way to it.
func (d *desk) says(s protocols.Signer, n int) {
	for range n {
		d.publish(s, d.message(s))
		d.take()
		d.acked(bob)
	}
}

// pageEarned is the time that earns a member one page more.
const pageEarned = 20 * time.Millisecond

// One record after the other goes out at once, until a member has had as many pages as
// it may: then what is new goes together, and nothing waits for longer than earns one
// page more. The shadow waits for none of that.
func TestWhatManySayIsGathered(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	sent := map[protocols.Key][]sentPage{}
	take := func() {
		for k, frames := range d.take() {
			sent[k] = append(sent[k], pagesOf(frames)...)
		}
	}
	d.acked(bob) // the joins
	for range 100 {
		d.now = d.now.Add(time.Millisecond)
		d.shadowed(false)
		d.publish(alice, d.message(alice))
		take()
		d.acked(bob)
		take()
		if got := sent[carol.Public()]; len(got) > 0 {
			d.holds(carol, got[len(got)-1].last)
		}
	}
	if n := len(sent[bob.Public()]); n != 100 {
		t.Errorf("the shadow gets %d pages of 100 records", n)
	}
	d.step(hub.View{Open: true, Silent: true})
	d.publish(alice, d.message(alice))
	if take(); len(sent[bob.Public()]) != 101 {
		t.Error("who was shadow waits, for the pages that it got as such")
	}
	d.shadowed(false)
	got := sent[carol.Public()]
	for i, p := range got {
		if i < 25 && p.entries != 1 {
			t.Errorf("page %d has %d records", i, p.entries)
		}
	}
	if len(got) < 30 || len(got) > 40 {
		t.Errorf("100 records in as many milliseconds come in %d pages", len(got))
	}
	due := d.hub.Deadline()
	if due.Sub(d.now) <= 0 || due.Sub(d.now) > pageEarned {
		t.Fatalf("the next page is due in %v", due.Sub(d.now))
	}
	d.now = due
	take()
	if last := sent[carol.Public()]; last[len(last)-1].last != d.ledger.Log().Seq() || !d.hub.Deadline().IsZero() {
		t.Errorf("then it has all but what is behind %d, and more is due at %v", last[len(last)-1].last, d.hub.Deadline())
	}
	d.now = d.now.Add(time.Minute)
	d.publish(alice, d.message(alice))
	take()
	d.acked(bob)
	before := len(sent[carol.Public()])
	if take(); len(sent[carol.Public()]) != before+1 {
		t.Error("after a silence it waits")
	}
}

// To whom much is under way what is new goes when it fills a page, and whoever got out
// of step gets the pages that others get; to whom nothing is, it goes at once.
func TestWhatIsNewIsGatheredWhileMuchIsUnderWay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const records = 398 // two have joined
	for i := range records {
		d.publish(alice, d.message(alice))
		sent := d.take()
		if to := pagesOf(sent[bob.Public()]); i < 25 && (len(to) != 1 || to[0].entries != 1) {
			t.Fatalf("who has all is sent %v of one record", to)
		}
		d.acked(bob)
	}
	held := wire.Seq(2)
	land := func(to wire.Seq) []sentPage {
		t.Helper()
		held = to
		d.holds(carol, to)
		return pagesOf(d.take()[carol.Public()])
	}
	for _, tt := range []struct {
		lands wire.Seq
		sent  []sentPage
	}{
		{34, []sentPage{{384, 128}}}, // after as many pages as may be under way
		{128, nil},                   // 16 more are accepted, and wait
		{256, nil},
		{384, nil},
	} {
		if sent := land(tt.lands); !slices.Equal(sent, tt.sent) {
			t.Errorf("when it holds %d it is sent %v, want %v", held, sent, tt.sent)
		}
	}
	d.now = d.now.Add(pageEarned) // it had many of one record
	if sent := land(384); !slices.Equal(sent, []sentPage{{400, 16}}) {
		t.Errorf("then it is sent %v", sent)
	}
}

// Also where a page holds as many records as it may, whatever their length, it ends
// where others' pages do.
func TestPagesOfShortRecordsGetIntoStep(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.says(alice, 14)
	held := d.ledger.Log().Seq()
	for range 1000 {
		d.publish(alice, d.message(alice))
	}
	d.holds(bob, held)
	sent := pagesOf(d.take()[bob.Public()])
	if len(sent) < 4 {
		t.Fatalf("it is sent %v", sent)
	}
	for _, p := range sent[:len(sent)-1] {
		if p.last%128 != 0 {
			t.Errorf("a page of %d records ends at %d", p.entries, p.last)
		}
	}
}

// Who lacks the same gets the very same page, as long as not many others were made since.
func TestOnlySoManyPagesAreKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	held, hash := d.ledger.Log().End()
	for range 130 {
		d.publish(alice, d.message(alice))
	}
	first := find[*wire.Records](d.take()[bob.Public()])
	d.acked(bob)
	again := func() *wire.Records {
		d.hub.Sync(d.now, carol.Public(), &wire.Sync{N: 1, Group: d.group, From: held.Seq, Log: hash})
		return find[*wire.Records](d.take()[carol.Public()])
	}
	if first == nil || again() != first {
		t.Error("a page is made twice")
	}
	d.says(alice, 16)
	if again() == first {
		t.Error("a page is kept while others come and come")
	}
}

// Who is no member is sent nothing because it says what it holds.
func TestOnlyMembersAreSentMoreWhenTheyAcknowledge(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	stranger := signer(9)
	held, hash := d.ledger.Log().End()
	d.attach(stranger)
	for range 2 {
		d.publish(alice, d.message(alice))
		for _, s := range []protocols.Signer{stranger, carol} {
			d.hub.Replicated(d.now, s.Public(), held.Seq, hash)
		}
		if sent := d.take(); len(sent[stranger.Public()]) > 0 || len(sent[carol.Public()]) == 0 {
			t.Errorf("a stranger is sent %v, a member %v", pagesOf(sent[stranger.Public()]), pagesOf(sent[carol.Public()]))
		}
		d.hub.Replicated(d.now, stranger.Public(), held.Seq, hash)
		if sent := d.take()[stranger.Public()]; len(sent) > 0 {
			t.Errorf("a stranger is sent %v when it says what it holds", pagesOf(sent))
		}
	}
}

// While the shadow writes what it got before, what is new waits for its word, but not
// for long; and for no more than that, however much is under way.
func TestWhatTheShadowIsToGetWaitsForItsWord(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.shadowed(false)
	d.take()
	d.acked(bob) // the joins
	big := d.entry(alice, wire.KindMessage, (&wire.Message{Roster: d.ledger.Fold().Version(), Ciphertext: make([]byte, 30<<10)}).Append(nil))
	d.publish(alice, big)
	first := pagesOf(d.take()[bob.Public()])
	if len(first) != 1 {
		t.Fatalf("the shadow is sent %v", first)
	}
	write := func() []sentPage {
		d.publish(alice, d.message(alice))
		d.publish(carol, d.message(carol))
		return pagesOf(d.take()[bob.Public()])
	}
	if sent := write(); len(sent) != 0 {
		t.Errorf("before it has answered it is sent %v", sent)
	}
	d.holds(bob, first[0].last)
	if sent := pagesOf(d.take()[bob.Public()]); len(sent) != 1 || sent[0].entries != 2 {
		t.Errorf("then it is sent %v", sent)
	}
	if sent := write(); len(sent) != 0 {
		t.Errorf("before it has answered it is sent %v", sent)
	}
	due := d.hub.Deadline()
	if wait := due.Sub(d.now); wait <= 0 || wait > 2*time.Millisecond {
		t.Fatalf("it is due in %v", wait)
	}
	d.now = due
	if sent := pagesOf(d.take()[bob.Public()]); len(sent) != 1 || sent[0].entries != 2 {
		t.Errorf("when that takes long it is sent %v", sent)
	}
	if sent := write(); len(sent) != 0 || d.hub.Deadline() != due.Add(2*time.Millisecond) {
		t.Errorf("behind a page that waits no longer it is sent %v, and more is due at %v", sent, d.hub.Deadline())
	}
}

// Where something is gathered for several, and receipts wait, each goes when it is due,
// the first first: also where what is due later is looked at last.
func TestWhatWaitsForSeveralGoesWhenItIsDue(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.publish(carol, d.message(carol))
	d.take()
	held, hash := d.ledger.Log().End()
	d.now = d.now.Add(time.Second)
	d.receipted(alice)
	d.take()
	receipts := d.now.Add(20 * time.Millisecond)
	d.now = d.now.Add(5 * time.Millisecond)
	d.says(alice, 40) // carol has no page to spare
	d.shadowed(false)
	d.publish(alice, d.message(alice))
	d.take()
	d.publish(alice, d.message(alice)) // while the shadow writes that
	d.take()
	d.hub.Sync(d.now, carol.Public(), &wire.Sync{N: 1, Group: d.group, From: held.Seq, Log: hash})
	d.take()
	began := d.now
	for i, due := range []time.Time{began.Add(2 * time.Millisecond), receipts, began.Add(pageEarned)} {
		if at := d.hub.Deadline(); !at.Equal(due) {
			t.Errorf("the next is due in %v, want %v", at.Sub(began), due.Sub(began))
		}
		d.now = due
		sent := d.take()
		for n, goes := range []bool{
			len(pagesOf(sent[bob.Public()])) > 0, find[*wire.Receipts](sent[carol.Public()]) != nil, len(pagesOf(sent[carol.Public()])) > 0,
		} {
			if goes != (n == i) {
				t.Errorf("of three the %dth goes when the %dth is due: %v", n+1, i+1, goes)
			}
		}
	}
	if at := d.hub.Deadline(); !at.IsZero() {
		t.Errorf("then something is due at %v", at)
	}
}

// Who takes much at a time gets longer pages, under fewer heads; who does not, gets
// short ones still.
func TestPagesAreLongerOnALinkThatCarriesMuch(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.says(alice, 6)
	long := (&wire.Message{Roster: d.ledger.Fold().Version(), Ciphertext: make([]byte, 15<<10)}).Append(nil)
	for range 20 {
		d.publish(alice, d.entry(alice, wire.KindMessage, long))
	}
	sent := d.take()
	for _, x := range []struct {
		of   protocols.Signer
		want int
	}{{bob, 8}, {carol, 2}} {
		if f := find[*wire.Records](sent[x.of.Public()]); f == nil || len(f.Entries) != x.want {
			t.Errorf("a page has %+v; want %d records", f, x.want)
		}
	}
}

// receipted lets a member acknowledge all.
func (d *desk) receipted(s protocols.Signer) {
	p, hash := d.ledger.Log().End()
	d.hub.Receipts(s.Public(), [][]byte{wire.Receipt{
		Group: d.group, Last: p, Log: hash, Waiting: []wire.Seq{}, Time: wire.Millis(d.now.UnixMilli()),
	}.Sign(s)})
}

// Who brings what is no receipt, or another's, is told; not who was with another hub.
func TestAReceiptIsOfWhoBringsIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.publish(carol, d.message(carol))
	d.take()
	p, hash := d.ledger.Log().End()
	good := wire.Receipt{Group: d.group, Last: p, Log: hash, Time: 1}
	foreign, other := good, good
	foreign.Group[0]++
	other.Log[0]++
	for name, c := range map[string]struct {
		receipt []byte
		want    error
	}{
		"no receipt":       {[]byte{1}, wire.ErrForm},
		"another's":        {good.Sign(carol), hub.ErrReceipt},
		"of another group": {foreign.Sign(bob), hub.ErrReceipt},
		"of another log":   {other.Sign(bob), nil},
	} {
		if err := d.hub.Receipts(bob.Public(), [][]byte{c.receipt}); !errors.Is(err, c.want) || !d.hub.Deadline().IsZero() {
			t.Errorf("%s: %v, to be passed on at %v", name, err, d.hub.Deadline())
		}
	}
}

// A receipt of who is no member is not kept, nor passed on: there is no end of keys.
func TestOnlyMembersAcknowledge(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.publish(carol, d.message(carol))
	d.take()
	d.receipted(signer(9))
	d.hub.AskReceipts(d.now, carol.Public())
	if at := d.hub.Deadline(); !at.IsZero() {
		t.Errorf("at %v a stranger's receipt is passed on", at)
	}
}

// Nor is one kept of who was a member when it came.
func TestWhoIsNoMemberAnyMoreHasAcknowledgedNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.publish(carol, d.message(carol))
	d.take()
	d.receipted(bob)
	for i, want := range []bool{true, false} {
		d.now = d.now.Add(time.Minute)
		d.hub.AskReceipts(d.now, carol.Public())
		d.hub.Feed(d.now)
		d.now = d.now.Add(time.Second)
		if got := find[*wire.Receipts](d.take()[carol.Public()]) != nil; got != want {
			t.Errorf("asked for the time %d, it is passed on: %v", i+1, got)
		}
		names, _ := d.ledger.Fold().Names(bob.Public())
		d.publish(alice, d.entry(alice, wire.KindKick, (&wire.Target{Kind: wire.KindKick, Member: bob.Public(), Names: names}).Append(nil)))
		d.take()
	}
}

// Receipts about a record go to its author together: when the last is there, and if
// that does not come in a moment, without it.
func TestReceiptsWaitForOneAnotherAndNotForLong(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	away := signer(4) // for whom nobody waits
	d.publish(away, d.entry(away, wire.KindJoin, (&wire.Join{}).Append(nil)))
	d.publish(carol, d.message(carol))
	d.take()
	passed := func() int {
		f := find[*wire.Receipts](d.take()[carol.Public()])
		if f == nil {
			return 0
		}
		return len(f.Receipts)
	}
	d.receipted(alice)
	if n := passed(); n != 0 {
		t.Errorf("%d passed on alone, and at once", n)
	}
	d.receipted(carol)
	d.receipted(bob)
	if n := passed(); n != 2 || !d.hub.Deadline().IsZero() {
		t.Errorf("%d passed on when all are there, the next at %v", n, d.hub.Deadline())
	}
	d.publish(carol, d.message(carol))
	d.take()
	began := d.now
	d.receipted(alice)
	d.take()
	if d.now = d.hub.Deadline(); d.now.Sub(began) <= 0 || d.now.Sub(began) > 50*time.Millisecond {
		t.Errorf("waits for %v", d.now.Sub(began))
	}
	if n := passed(); n != 1 || !d.hub.Deadline().IsZero() {
		t.Errorf("then %d passed on, the next at %v", n, d.hub.Deadline())
	}
}

// Receipts about a record go to its author at once, those that came together in one
// frame. Where all write all the time they go by and by, and of each member only the
// newest.
func TestReceiptsGoAtOnceUnlessThereAreTooMany(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.publish(carol, d.message(carol))
	d.take()
	d.receipted(alice)
	d.receipted(bob)
	d.receipted(carol)
	if f := find[*wire.Receipts](d.take()[carol.Public()]); f == nil || len(f.Receipts) != 2 || !d.hub.Deadline().IsZero() {
		t.Fatalf("carol gets %+v, the next are due at %v", f, d.hub.Deadline())
	}
	const rounds = 800
	passed, late := 0, false
	take := func() {
		for _, f := range d.take()[carol.Public()] {
			if f, ok := f.(*wire.Receipts); ok {
				passed += len(f.Receipts)
			}
		}
		late = late || !d.hub.Deadline().IsZero()
	}
	for range rounds {
		d.publish(carol, d.message(carol))
		d.receipted(alice)
		d.receipted(bob)
		d.receipted(carol)
		take()
	}
	if passed > 200 || passed < 100 || !late {
		t.Errorf("in no time %d of %d receipts were passed on", passed, 2*rounds)
	}
	passed = 0
	for range 2 { // the page, and what is owed about it
		d.now = d.hub.Deadline()
		take()
	}
	if passed != 2 || !d.hub.Deadline().IsZero() {
		t.Errorf("then %d follow, and more at %v", passed, d.hub.Deadline())
	}
}

// Whoever has joined is not told who has the record of it, and those who ask who has
// what are.
func TestNobodyIsOwedReceiptsForAJoin(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, s := range []protocols.Signer{alice, bob, carol} {
		d.receipted(s)
	}
	if sent := d.take(); len(sent) != 0 || len(d.ready.Receipts) != 0 {
		t.Errorf("for joins alone %d are told, and the hub %d times", len(sent), len(d.ready.Receipts))
	}
	d.hub.AskReceipts(d.now, bob.Public())
	if f := find[*wire.Receipts](d.take()[bob.Public()]); f == nil || len(f.Receipts) != 2 {
		t.Errorf("who asks gets %+v", f)
	}
}

// An author hears it when a member can open what it could not, also while another
// record waits in its stead.
func TestAReceiptGoesToThoseOfWhomItSaysSomethingElse(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.publish(alice, d.message(alice))
	d.publish(carol, d.message(carol), d.message(carol))
	d.take()
	end, hash := d.ledger.Log().End()
	receipt := func(waiting ...wire.Seq) bool {
		d.now = d.now.Add(time.Second)
		d.hub.Receipts(bob.Public(), [][]byte{wire.Receipt{Group: d.group, Last: end, Log: hash, Waiting: waiting, Time: wire.Millis(d.now.UnixMilli())}.Sign(bob)})
		d.take()
		if at := d.hub.Deadline(); !at.IsZero() {
			d.now = at
		}
		return find[*wire.Receipts](d.take()[carol.Public()]) != nil
	}
	for _, c := range []struct {
		waiting []wire.Seq
		told    bool
	}{{[]wire.Seq{end.Seq - 1}, true}, {[]wire.Seq{end.Seq - 1}, false}, {[]wire.Seq{end.Seq}, true}, {[]wire.Seq{}, true}, {[]wire.Seq{}, false}} {
		if told := receipt(c.waiting...); told != c.told {
			t.Errorf("waiting %v: told is %v", c.waiting, told)
		}
	}
}
