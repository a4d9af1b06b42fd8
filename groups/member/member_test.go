package member_test

import (
	"bytes"
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/ledger"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/proof"
)

var (
	start             = time.UnixMilli(1_790_000_000_123)
	alice, bob, carol = signer(1), signer(2), signer(3)
)

func signer(n byte) protocols.Signer {
	return protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, 32)))
}

// counting is the verifier and the prover of a desk; it counts what is verified alone,
// and how much of what is verified in one go.
type counting struct {
	protocols.Network
	proofs   *proof.Verifier
	alone    map[protocols.Tag]int
	together []int
}

func newCounting() *counting {
	return &counting{Network: protocols.Main, proofs: proof.NewVerifier(protocols.Main), alone: make(map[protocols.Tag]int)}
}

func (c *counting) Verify(k protocols.Key, tag protocols.Tag, msg, sig []byte) bool {
	c.alone[tag]++
	return c.Network.Verify(k, tag, msg, sig)
}

func (c *counting) VerifyAll(list []protocols.Signed) []bool {
	if len(list) > 0 {
		c.together = append(c.together, len(list))
	}
	return c.Network.VerifyAll(list)
}

// prover counts the same of proofs.
type prover struct{ *counting }

func (p prover) VerifyAll(claims []proof.Claim) error {
	if len(claims) > 0 {
		p.together = append(p.together, len(claims))
	}
	return p.proofs.VerifyAll(claims)
}

// desk is bob, who follows alice, then carol.
type desk struct {
	t      *testing.T
	m      *member.Member
	ledger *ledger.Ledger
	c      *wire.Charter
	now    time.Time
	hub    protocols.Signer
	term   wire.Term
	id     byte
	ahead  time.Duration // the hub's clock is
	count  *counting
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return newDeskOf(t, 9)
}

// newDeskOf is one in a group of so many members at most.
func newDeskOf(t *testing.T, most uint64) *desk {
	t.Helper()
	c, err := wire.ParseCharter(protocols.Main, wire.Charter{Settings: wire.Settings{Open: true, Max: most, Beat: 500}}.Sign(alice))
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, c: c, ledger: ledger.New(protocols.Main, c), now: start, hub: alice, term: wire.Term{Number: 1, Opened: wire.HubHash{1}}, count: newCounting()}
	d.m = member.New(start, member.Config{
		Group: c.Group(), Self: bob.Public(), Signer: bob, Verifier: d.count, Prover: prover{d.count}, Ledger: d.ledger, Beat: 500 * time.Millisecond,
	}, member.Hub{Term: d.term, Primary: alice.Public()})
	return d
}

// record makes a record of alice's, a rename, that is always allowed.
func (d *desk) record() *wire.Record {
	d.id++
	return d.signed(alice, wire.RecordID{d.id}, wire.KindRename, (&wire.Rename{Name: string(rune('a' + d.id))}).Append(nil))
}

func (d *desk) signed(s protocols.Signer, id wire.RecordID, kind wire.Kind, payload []byte) *wire.Record {
	d.t.Helper()
	r, err := wire.ParseRecord(wire.SignRecords(s, []wire.Record{{
		Group: d.c.Group(), ID: id, Kind: kind, Time: wire.Millis(d.now.UnixMilli()), Payload: payload,
	}})[0])
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// page makes the hub's page behind a state of the log.
func (d *desk) page(before wire.LogHash, first wire.Seq, rs ...*wire.Record) *wire.Records {
	f := wire.Records{
		Group: d.c.Group(), First: first, Before: before,
		Runs: []wire.Run{{Entries: uint32(len(rs)), Number: d.term.Number, Primary: d.hub.Public()}},
	}
	hash, seq := before, first
	for _, r := range rs {
		raw := (&wire.Entry{Record: r}).Append(nil)
		f.Entries = append(f.Entries, raw)
		hash = hash.Next(wire.Place{Number: d.term.Number, Primary: d.hub.Public(), Seq: seq}, raw)
		seq++
	}
	f.Head = wire.Head{Group: d.c.Group(), Term: d.term, Seq: seq - 1, Log: hash, Time: wire.Millis(d.now.Add(d.ahead).UnixMilli())}.Sign(d.hub)
	return f.FanOut()
}

func (d *desk) take(f *wire.Records) error { return d.m.OnRecords(d.now, f) }

func (d *desk) taken(f *wire.Records) member.Ready {
	d.t.Helper()
	if err := d.take(f); err != nil {
		d.t.Fatal(err)
	}
	r := d.m.Ready()
	if f := d.m.Acknowledge(d.now); f != nil {
		r.Send = append(r.Send, member.Send{To: d.hub.Public(), Frame: f})
	}
	return r
}

// carolLeads makes carol the hub of a second term.
func (d *desk) carolLeads() {
	d.hub, d.term = carol, wire.Term{Number: 2, Opened: wire.HubHash{2}}
	d.m.Follow(d.now, member.Hub{Term: d.term, Primary: carol.Public()}, false)
}

func (d *desk) hashAt(s wire.Seq) wire.LogHash {
	d.t.Helper()
	h, ok := d.ledger.Log().HashAt(s)
	if !ok {
		d.t.Fatalf("no seq %d", s)
	}
	return h
}

func find[F wire.Frame](r member.Ready) (none F) {
	for _, s := range r.Send {
		if f, ok := s.Frame.(F); ok {
			return f
		}
	}
	return none
}

func TestPagesAreFollowedAndAcknowledged(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := d.taken(d.page(d.c.Hash(), 1, d.record(), d.record()))
	ack := find[*wire.Replicated](r)
	if ack == nil || ack.Seq != 2 || ack.Log != d.hashAt(2) || len(r.Events) != 2 {
		t.Errorf("%+v, %+v", ack, r.Events)
	}
	again := d.page(d.c.Hash(), 1, d.record())
	again.Entries = [][]byte{(&wire.Entry{Record: entryAt(d, 1)}).Append(nil)}
	again = d.page(d.c.Hash(), 1, entryAt(d, 1))
	if r := d.taken(again); len(r.Events) != 0 || d.ledger.Log().Seq() != 2 {
		t.Errorf("a page that is known: %+v, seq %d", r.Events, d.ledger.Log().Seq())
	}
	if r := d.taken(d.page(wire.LogHash{9}, 9, d.record())); !r.Attach || d.ledger.Log().Seq() != 2 {
		t.Error("a gap does not make it ask")
	}
}

func entryAt(d *desk, s wire.Seq) *wire.Record {
	e, _ := d.ledger.Log().At(s)
	return e.Record
}

func TestAHubThatBreaksRulesIsNotFollowed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	forged := *d.record()
	forged.Author = carol.Public()
	other := d.page(d.c.Hash(), 1, d.record())
	for name, f := range map[string]*wire.Records{
		"a record in another's name": d.page(d.c.Hash(), 1, &forged),
		"a head of another log":      func() *wire.Records { f := d.page(d.c.Hash(), 1, d.record()); f.Head = other.Head; return f }(),
		"a head of another's": func() *wire.Records {
			f := d.page(d.c.Hash(), 1, d.record())
			f.Head = wire.Head{Group: d.c.Group(), Term: d.term, Seq: 1}.Sign(carol)
			return f
		}(),
		"a head that nobody signed": func() *wire.Records { f := d.page(d.c.Hash(), 1, d.record()); f.Head = f.Head[1:]; return f }(),
		"a term to come": func() *wire.Records {
			f := d.page(d.c.Hash(), 1, d.record())
			f.Runs[0].Number = 7
			return f
		}(),
	} {
		if err := d.take(f); err == nil {
			t.Errorf("%s is taken", name)
		}
		if d.ledger.Log().Seq() != 0 {
			t.Fatalf("%s stands in the log", name)
		}
	}
}

// A record that is held needs no verifying, but what stands for its proof in another
// hub's log does: whoever is hub next would show it to those who do not hold it.
func TestARecordThatIsHeldMustStillProveItself(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.taken(d.page(d.c.Hash(), 1, d.record()))
	r := entryAt(d, 1)
	unproven := bytes.Clone(r.Bytes())
	unproven[len(unproven)-1] ^= 1
	same, err := wire.ParseRecord(unproven)
	if err != nil || !same.Same(r) {
		t.Fatal(err)
	}
	d.carolLeads()
	if err := d.take(d.page(d.c.Hash(), 1, same)); err == nil {
		t.Error("a proof that proves nothing is taken into the log")
	}
	d.taken(d.page(d.c.Hash(), 1, r))
	if e, ok := d.ledger.Log().At(1); !ok || e.Place.Primary != carol.Public() || !bytes.Equal(e.Record.Bytes(), r.Bytes()) {
		t.Errorf("%+v", e)
	}
}

// The new hub's log parted from ours at seq 1 of 12: bob looks for the place in
// steps that double, takes what stands there instead, and offers what it lacks.
func TestALogThatPartedIsJoinedAndOffersWhatIsMissing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var rs []*wire.Record
	for range 12 {
		rs = append(rs, d.record())
	}
	d.taken(d.page(d.c.Hash(), 1, rs...))
	shared := d.hashAt(1)
	d.carolLeads()
	next := &wire.Refused{Group: d.c.Group(), Reason: envelope.ReasonConflict, Value: 11}
	var asked []wire.Seq
	var last *wire.Sync
	for range 5 {
		d.m.OnRefused(d.now, next)
		last = find[*wire.Sync](d.m.Ready())
		if last == nil {
			break
		}
		asked = append(asked, last.From)
		if last.From <= 1 {
			break
		}
		next.Value = uint64(last.From - 1)
	}
	if last == nil || last.From > 1 || len(asked) != 4 {
		t.Fatalf("asked for %v", asked)
	}
	d.m.OnPageEnd(d.now, &wire.PageEnd{N: last.N, More: true})
	r := d.taken(d.page(shared, 2, d.record()))
	if d.ledger.Log().Seq() != 2 || len(r.Events) != 3 || r.Events[0].Cut.From != 1 || r.Events[2].Kind != member.Moved || r.Events[2].Count != 11 {
		t.Fatalf("seq %d, %+v", d.ledger.Log().Seq(), r.Events)
	}
	d.now = d.now.Add(time.Second)
	d.m.Tick(d.now)
	offer := find[*wire.Publish](d.m.Ready())
	if offer == nil || len(offer.Records) != 11 {
		t.Fatalf("offers %+v", offer)
	}
	for i, b := range offer.Records {
		e, err := wire.ParseEntry(b)
		if err != nil || e.Old == nil || e.Old.Number != 1 || e.Old.Seq != wire.Seq(i+2) || e.Old.Head == nil {
			t.Errorf("offer %d: %+v, %v", i, e, err)
		}
	}
}

func TestALogThatIsTooLongIsCutAndNothingIsForgotten(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.taken(d.page(d.c.Hash(), 1, d.record(), d.record()))
	d.carolLeads()
	d.m.OnRefused(d.now, &wire.Refused{Group: d.c.Group(), Reason: envelope.ReasonConflict, Value: 1})
	sync := find[*wire.Sync](d.m.Ready())
	d.m.OnPageEnd(d.now, &wire.PageEnd{N: sync.N + 1})
	if d.ledger.Log().Seq() != 2 {
		t.Error("cut for what was not asked")
	}
	d.m.OnPageEnd(d.now, &wire.PageEnd{N: sync.N})
	keep, anew, drop := d.m.Kept()
	if d.ledger.Log().Seq() != 1 || len(keep) != 1 || len(anew)+len(drop) != 0 || keep[0].Old == nil || keep[0].Old.Seq != 2 {
		t.Errorf("seq %d, kept %+v", d.ledger.Log().Seq(), keep)
	}
}

func TestOwnRecordsAreSentUntilTheyStand(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	own := d.signed(bob, wire.RecordID{77}, wire.KindJoin, (&wire.Join{}).Append(nil))
	if d.m.Write(d.now, own) == 0 || find[*wire.Publish](d.m.Ready()) == nil {
		t.Fatal("not published at once")
	}
	if keep, anew, _ := d.m.Kept(); len(keep) != 1 || len(anew) != 0 || !keep[0].Own || keep[0].Old != nil {
		t.Errorf("what is written is kept as %+v", keep)
	}
	d.now = d.now.Add(100 * time.Millisecond)
	d.m.Tick(d.now)
	if find[*wire.Publish](d.m.Ready()) != nil {
		t.Error("published again too soon")
	}
	times := 0
	for end := d.now.Add(3 * time.Second); d.now.Before(end); d.now = d.m.Deadline() {
		d.m.Tick(d.now)
		if find[*wire.Publish](d.m.Ready()) != nil {
			times++
		}
	}
	if times != 6 {
		t.Errorf("published %d times in 3 s", times)
	}
	r := d.taken(d.page(d.c.Hash(), 1, own))
	accepted := 0
	for _, e := range r.Events {
		if e.Kind == member.Accepted {
			accepted++
		}
	}
	if _, _, drop := d.m.Kept(); accepted != 1 || len(drop) != 1 || drop[0] != own.Name() {
		t.Errorf("%d times accepted, %v kept no more", accepted, drop)
	}
	d.m.OnAccepted(&wire.Accepted{Group: d.c.Group(), Records: []wire.AcceptedRecord{{ID: own.ID, Number: 1, Seq: 1}}, Replicas: 2})
	if r := d.m.Ready(); len(r.Events) != 0 {
		t.Errorf("accepted twice: %+v", r.Events)
	}
}

func TestTwoHeadsOfOnePlaceAreProof(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.taken(d.page(d.c.Hash(), 1, d.record()))
	head := wire.Head{Group: d.c.Group(), Term: d.term, Seq: 1, Log: wire.LogHash{5}}.Sign(alice)
	h, err := wire.ParseHead(protocols.Main, head)
	if err != nil {
		t.Fatal(err)
	}
	d.m.OnHead(d.m.Head())
	if r := d.m.Ready(); len(r.Events) != 0 {
		t.Errorf("the same head: %+v", r.Events)
	}
	d.m.OnHead(h)
	r := d.m.Ready()
	if len(r.Events) != 1 || r.Events[0].Kind != member.Forked {
		t.Fatalf("%+v", r.Events)
	}
	if _, who, ok := r.Events[0].Proof.Proves(protocols.Main); !ok || who != alice.Public() {
		t.Error("it proves nothing")
	}
}

// Heads of two places are proof too, if the log between them has parted: of what is
// here already, and of what comes later.
func TestHeadsOfALogThatPartedAreProof(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		early bool // the head comes before the log
		same  bool // it is of this log
		seq   wire.Seq
		want  int
	}{
		"another log":            {false, false, 2, 1},
		"this log":               {false, true, 2, 0},
		"another log that comes": {true, false, 2, 1},
		"this log that comes":    {true, true, 2, 0},
		"a place behind the log": {false, false, 4, 0},
		"another beginning":      {false, false, 0, 1},
	} {
		d := newDesk(t)
		first, second, third := d.record(), d.record(), d.record()
		whole := d.page(d.c.Hash(), 1, first, second, third)
		b := wire.Head{Group: d.c.Group(), Term: d.term, Seq: c.seq, Log: wire.LogHash{5}}.Sign(alice)
		if c.same {
			b = d.page(d.c.Hash(), 1, first, second).Head
		}
		h, err := wire.ParseHead(protocols.Main, b)
		if err != nil {
			t.Fatal(err)
		}
		if !c.early {
			d.taken(whole)
		}
		d.m.OnHead(h)
		ready := d.m.Ready()
		if c.early {
			ready = d.taken(whole)
		}
		var proofs []*wire.Equivocation
		for _, e := range ready.Events {
			if e.Kind == member.Forked {
				proofs = append(proofs, e.Proof)
			}
		}
		if len(proofs) != c.want {
			t.Errorf("%s: %d proofs", name, len(proofs))
			continue
		}
		for _, p := range proofs {
			if _, who, ok := p.Proves(protocols.Main); !ok || who != alice.Public() {
				t.Errorf("%s: it proves nothing", name)
			}
		}
	}
}

// A head that says of the terms before something else than the log proves nothing: what
// lies between is not its hub's alone.
func TestAHeadOfWhatAnotherHubPutIntoOrderIsNoProof(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.taken(d.page(d.c.Hash(), 1, d.record(), d.record()))
	d.carolLeads()
	d.taken(d.page(d.hashAt(2), 3, d.record()))
	for seq, want := range map[wire.Seq]int{1: 0, 2: 1} {
		h, err := wire.ParseHead(protocols.Main, wire.Head{Group: d.c.Group(), Term: d.term, Seq: seq, Log: wire.LogHash{5}}.Sign(carol))
		if err != nil {
			t.Fatal(err)
		}
		d.m.OnHead(h)
		if got := len(d.m.Ready().Events); got != want {
			t.Errorf("of seq %d: %d proofs", seq, got)
		}
	}
}

// A record that the hub has no time for comes again when it said, and not before;
// it cannot put it off for ever.
func TestARecordComesAgainWhenTheHubSaid(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		retry wire.Millis
		want  time.Duration
	}{
		{3_000, 3 * time.Second}, {wire.MaxMillis, 2 * time.Minute},
	} {
		d := newDesk(t)
		r := d.signed(bob, wire.RecordID{77}, wire.KindJoin, (&wire.Join{}).Append(nil))
		d.m.Write(d.now, r)
		d.m.Ready()
		d.m.OnBusy(d.now, &wire.Busy{Group: d.c.Group(), Record: r.ID, Retry: tt.retry})
		if ready := d.m.Ready(); len(ready.Events) != 1 || ready.Events[0].Kind != member.Delayed {
			t.Errorf("events %+v", ready.Events)
		}
		begun := d.now
		for find[*wire.Publish](d.m.Ready()) == nil && d.now.Sub(begun) < time.Hour {
			d.now = d.now.Add(100 * time.Millisecond)
			d.m.Tick(d.now)
		}
		if took := d.now.Sub(begun); took < tt.want || took > tt.want+time.Second {
			t.Errorf("told to wait for %d ms, it came after %v", tt.retry, took)
		}
	}
}

// What is accepted before it has come stays kept, with its place, until it has.
func TestWhatIsAcceptedIsKeptAnewWithItsPlace(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	own := d.signed(bob, wire.RecordID{77}, wire.KindJoin, (&wire.Join{}).Append(nil))
	d.m.Write(d.now, own)
	d.m.Kept()
	d.m.OnAccepted(&wire.Accepted{Group: d.c.Group(), Records: []wire.AcceptedRecord{{ID: own.ID, Number: 1, Seq: 1}}})
	if keep, anew, drop := d.m.Kept(); len(keep)+len(drop) != 0 || len(anew) != 1 || anew[0].Own || anew[0].Old == nil || anew[0].Old.Seq != 1 {
		t.Errorf("accepted: %+v, anew %+v, no more %v", keep, anew, drop)
	}
	d.taken(d.page(d.c.Hash(), 1, own))
	if keep, anew, drop := d.m.Kept(); len(keep)+len(anew) != 0 || len(drop) != 1 {
		t.Errorf("come: %+v, anew %+v, no more %v", keep, anew, drop)
	}
}

// A hub that has not seen one's join yet says that one is no member. As soon as it shows
// the join, because others brought it, the member says again what it has to say.
func TestWhoIsLetInAfterAllSpeaksAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.m.OnRefused(d.now, &wire.Refused{Group: d.c.Group(), Reason: envelope.ReasonNotMember})
	if !d.m.Deadline().IsZero() {
		t.Fatal("it does not take the hub's word")
	}
	d.taken(d.page(d.c.Hash(), 1, d.record()))
	if !d.m.Deadline().IsZero() {
		t.Error("a log without its join lets it in")
	}
	d.m.Write(d.now, d.signed(bob, wire.RecordID{99}, wire.KindRename, (&wire.Rename{Name: "bobby"}).Append(nil)))
	d.taken(d.page(d.hashAt(1), 2, d.signed(bob, wire.RecordID{98}, wire.KindJoin, (&wire.Join{Name: "bob"}).Append(nil))))
	for range 20 {
		d.now = d.now.Add(time.Second)
		d.m.Tick(d.now)
		if find[*wire.Publish](d.m.Ready()) != nil {
			return
		}
	}
	t.Error("it is silent, although it is in")
}

// Who lost the hub that let it in brings the next its join, as one that stood nowhere,
// until the hub has it, or has said often enough that it is no member.
func TestWhoseHubIsGoneJoinsTheNext(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.letIn()
	d.carolLeads()
	refused := &wire.Refused{Group: d.c.Group(), Reason: envelope.ReasonNotMember}
	for range 3 {
		d.m.Ready()
		d.m.OnRefused(d.now, refused)
		r := d.m.Ready()
		f := find[*wire.Publish](r)
		if f == nil || len(f.Records) != 1 || len(r.Events) > 0 {
			t.Fatalf("%+v, %v", f, r.Events)
		}
		e, err := f.Entry(0)
		if err != nil || e.Old != nil || e.Record.Kind != wire.KindJoin || e.Record.Author != bob.Public() {
			t.Errorf("%+v: %v", e, err)
		}
	}
	d.m.OnRefused(d.now, refused)
	if r := d.m.Ready(); find[*wire.Publish](r) != nil || len(r.Events) != 1 || r.Events[0].Kind != member.Removed {
		t.Errorf("it does not believe the hub: %v", r.Events)
	}
	d.m.Follow(d.now, member.Hub{Term: wire.Term{Number: 3, Opened: wire.HubHash{3}}, Primary: alice.Public()}, false)
	d.m.Ready()
	d.m.OnRefused(d.now, refused)
	if find[*wire.Publish](d.m.Ready()) == nil {
		t.Error("the hub after that is not brought its join")
	}
}
