package seat_test

import (
	"bytes"
	"crypto/ed25519"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/seat"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/proof"
)

func stranger(n byte) protocols.Signer {
	return protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, 32)))
}

// listing is a settings record that lists relays.
func (r *room) listing(by protocols.Signer, id int, relays ...protocols.Key) *wire.Record {
	r.t.Helper()
	s := r.seats[r.signers[0].Public()].Ledger().Fold().Settings()
	s.HubRelays = append([]protocols.Key{}, relays...)
	return r.record(by, r.group(), id, wire.KindSettings, s.Append(nil))
}

func (r *room) group() wire.GroupID {
	return r.seats[r.signers[0].Public()].Branch().Record.Group
}

// takeover is the claim of one whom the hub named, with records that are to show that it
// may be hub.
func (r *room) takeover(by protocols.Signer, shown ...*wire.Record) *wire.HubRecordFrame {
	r.t.Helper()
	first := r.seats[r.signers[0].Public()].Branch().Opened
	named := wire.HubRecord{
		Group: r.group(), Number: 1, Version: 99, Shadow: by.Public(), Links: []wire.HubHash{first.Hash()}, Cause: wire.CauseChange, Seq: first.Seq, Log: first.Log,
	}.Sign(r.signers[0], nil)
	link, err := wire.ParseHubRecord(protocols.Main, named)
	r.must(err)
	claim := wire.HubRecord{
		Group: r.group(), Number: 2, Version: 1, Links: []wire.HubHash{link.Hash()}, Cause: wire.CausePromotion,
	}.Sign(by, nil)
	f := &wire.HubRecordFrame{Record: claim, Linked: [][]byte{named}}
	for _, x := range shown {
		f.Evidence = append(f.Evidence, wire.Evidence{Tag: protocols.TagGroupRecord, Structure: x.Bytes()})
	}
	return f
}

// A hub that a member's log does not know is followed if it shows the record by which it
// is in the group, and not if an admin took that back, or never signed it.
func TestAHubShowsThatItIsInTheGroup(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	newcomer := stranger(77)
	join := func(r *room) *wire.Record {
		return r.record(newcomer, r.group(), 1, wire.KindJoin, (&wire.Join{Name: "new"}).Append(nil))
	}
	kick := func(r *room) *wire.Record {
		joined := join(r)
		return r.record(r.signers[0], r.group(), 2, wire.KindKick, (&wire.Target{Kind: wire.KindKick, Member: newcomer.Public(), Names: joined.ID}).Append(nil))
	}
	snapshot := func(r *room, by protocols.Signer, older ...wire.RosterVersion) *wire.Record {
		list := r.seats[r.signers[0].Public()].Ledger().Fold().Roster()
		list.Members = append(list.Members, wire.Member{Node: newcomer.Public(), Role: wire.RoleMember, Admission: wire.RecordID{1}, Name: "new"})
		list.Kicked = []wire.Kicked{}
		list.Version++
		for _, v := range older {
			list.Version -= 1 + v
		}
		return r.record(by, r.group(), 9, wire.KindSnapshot, list.Append(nil))
	}
	for name, c := range map[string]struct {
		stand func(*room) []*wire.Record // in the log of all
		shown func(*room) []*wire.Record
		late  time.Duration
		may   bool
	}{
		"it shows nothing": {},
		"it was listed":    {shown: func(r *room) []*wire.Record { return []*wire.Record{r.listing(r.signers[0], 1, newcomer.Public())} }, may: true},
		"it has joined":    {shown: func(r *room) []*wire.Record { return []*wire.Record{join(r)} }, may: true},
		"it was listed by one who became admin": {may: true, shown: func(r *room) []*wire.Record {
			bob := r.signers[1].Public()
			names, _ := r.seats[bob].Ledger().Fold().Names(bob)
			role := &wire.Target{Kind: wire.KindRole, Member: bob, Names: names, Role: wire.RoleAdmin}
			return []*wire.Record{r.record(r.signers[0], r.group(), 1, wire.KindRole, role.Append(nil)), r.listing(r.signers[1], 2, newcomer.Public())}
		}},
		"a snapshot has it":          {shown: func(r *room) []*wire.Record { return []*wire.Record{snapshot(r, r.signers[0])} }, may: true},
		"a member's snapshot has it": {shown: func(r *room) []*wire.Record { return []*wire.Record{snapshot(r, r.signers[1])} }},
		"a snapshot has one kicked":  {stand: func(r *room) []*wire.Record { return []*wire.Record{join(r), kick(r)} }, shown: func(r *room) []*wire.Record { return []*wire.Record{snapshot(r, r.signers[0])} }},
		"a snapshot has one that left": {stand: func(r *room) []*wire.Record {
			joined := join(r)
			left := wire.Target{Kind: wire.KindLeave, Member: newcomer.Public(), Names: joined.ID}
			return []*wire.Record{joined, r.record(newcomer, r.group(), 2, wire.KindLeave, left.Append(nil))}
		}, shown: func(r *room) []*wire.Record { return []*wire.Record{snapshot(r, r.signers[0])} }},
		"an older roster's snapshot": {stand: func(r *room) []*wire.Record {
			return []*wire.Record{r.listing(r.signers[0], 5), r.listing(r.signers[0], 6)}
		}, shown: func(r *room) []*wire.Record { return []*wire.Record{snapshot(r, r.signers[0], 1)} }},
		"another signed it": {shown: func(r *room) []*wire.Record {
			return []*wire.Record{inAnothersName(r, r.listing(newcomer, 1, newcomer.Public()), r.signers[0].Public())}
		}},
		"a member listed it": {shown: func(r *room) []*wire.Record { return []*wire.Record{r.listing(r.signers[1], 1, newcomer.Public())} }},
		"it listed itself":   {shown: func(r *room) []*wire.Record { return []*wire.Record{r.listing(newcomer, 1, newcomer.Public())} }},
		"that is long ago":   {late: day, shown: func(r *room) []*wire.Record { return []*wire.Record{r.listing(r.signers[0], 1, newcomer.Public())} }},
		"it is listed no more": {
			stand: func(r *room) []*wire.Record {
				return []*wire.Record{r.listing(r.signers[0], 1, newcomer.Public()), r.listing(r.signers[0], 2)}
			},
			shown: func(r *room) []*wire.Record { return []*wire.Record{r.listing(r.signers[0], 1, newcomer.Public())} },
		},
		"it was kicked": {
			stand: func(r *room) []*wire.Record { return []*wire.Record{join(r), kick(r)} },
			shown: func(r *room) []*wire.Record {
				again := r.record(newcomer, r.group(), 3, wire.KindJoin, (&wire.Join{Name: "new"}).Append(nil))
				return []*wire.Record{join(r), again}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, 3)
			r.pass(time.Second)
			if c.stand != nil {
				for _, x := range c.stand(r) {
					r.must(r.seats[r.signers[0].Public()].Receive(r.now, x.Author, &wire.Publish{Group: r.group(), Records: [][]byte{x.Bytes()}}))
					r.settle()
				}
				r.pass(5 * time.Second)
			}
			var shown []*wire.Record
			if c.shown != nil {
				r.now = r.now.Add(-c.late)
				shown = c.shown(r)
				r.now = r.now.Add(c.late)
			}
			victim := r.signers[2].Public()
			claim := r.takeover(newcomer, shown...)
			r.away[r.signers[0].Public()], r.away[r.signers[1].Public()] = true, true
			for range 10 {
				r.must(r.seats[victim].Receive(r.now, newcomer.Public(), claim))
				r.pass(200 * time.Millisecond)
			}
			if got := r.seats[victim].Branch().Primary() == newcomer.Public(); got != c.may {
				t.Errorf("it is followed: %v", got)
			}
		})
	}
}

// inAnothersName is a record that says it is of one who never signed it.
func inAnothersName(r *room, x *wire.Record, author protocols.Key) *wire.Record {
	r.t.Helper()
	stolen := *x
	stolen.Author = author
	b := (&wire.Entry{Record: &stolen}).Append(nil)
	parsed, err := wire.ParseRecord(b[1 : len(b)-1])
	r.must(err)
	return parsed
}

// A hub that showed that it is in the group is no stranger that is turned away.
func TestAHubThatShowedWhatItIsIsNoStranger(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 3)
	r.pass(time.Second)
	newcomer, hub := stranger(77), r.seats[r.signers[0].Public()]
	turned := func(f wire.Frame) (n int) {
		r.must(hub.Receive(r.now, newcomer.Public(), f))
		for _, e := range hub.Ready(r.now).Record {
			if e.Kind == member.Turned {
				n++
			}
		}
		return n
	}
	if turned(r.takeover(newcomer)) != 1 {
		t.Error("one that shows nothing is not named")
	}
	if turned(r.takeover(newcomer, r.listing(r.signers[0], 1, newcomer.Public()))) != 0 {
		t.Error("one that is listed is named")
	}
}

// An admin that names a hub shows those who do not know it that it is one.
func TestAnAdminShowsThatItIsOne(t *testing.T) {
	t.Parallel()
	for name, signs := range map[string]int{"the founder made it one": 0, "another member did": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, 4)
			r.pass(time.Second)
			made, hub, victim := r.signers[1], r.signers[2], r.seats[r.signers[3].Public()]
			names, _ := victim.Ledger().Fold().Names(made.Public())
			role := r.record(r.signers[signs], r.group(), 1, wire.KindRole, (&wire.Target{Kind: wire.KindRole, Member: made.Public(), Names: names, Role: wire.RoleAdmin}).Append(nil))
			cur := victim.Branch().Record
			h := wire.HubRecord{
				Group: r.group(), Number: 2, Version: 1, Primary: hub.Public(), Links: []wire.HubHash{cur.Hash()}, Cause: wire.CauseAdmin, Admin: made.Public(),
			}
			f := &wire.HubRecordFrame{Record: h.Sign(hub, h.SignAdmin(made)), Linked: [][]byte{cur.Bytes()}}
			r.must(victim.Receive(r.now, hub.Public(), f))
			if victim.Branch().Primary() == hub.Public() {
				t.Fatal("a member names the hub")
			}
			f.Evidence = []wire.Evidence{{Tag: protocols.TagGroupRecord, Structure: role.Bytes()}}
			r.must(victim.Receive(r.now, hub.Public(), f))
			if got := victim.Branch().Primary() == hub.Public(); got != (signs == 0) {
				t.Errorf("the hub that it names is followed: %v", got)
			}
		})
	}
}

// The founder left, and came back while another was apart: that one follows it too.
func TestAFounderThatCameBackShowsItsJoin(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 4)
	r.pass(10 * time.Second)
	founder, admin, apart := r.signers[0], r.seats[r.signers[1].Public()], r.signers[3].Public()
	r.leaves(founder)
	r.pass(5 * time.Second)
	if fold := r.seats[apart].Ledger().Fold(); fold.Member(founder.Public()) || !fold.Admin(r.signers[1].Public()) {
		t.Fatal("not what this is about")
	}
	r.away[apart] = true
	join := r.record(founder, r.group(), 7, wire.KindJoin, (&wire.Join{Name: "again"}).Append(nil))
	hub := r.seats[admin.Branch().Primary()]
	r.must(hub.Receive(r.now, founder.Public(), &wire.Publish{Group: r.group(), Records: [][]byte{join.Bytes()}}))
	r.away[founder.Public()] = false
	r.pass(10 * time.Second)
	admin.Move(r.now, founder.Public())
	r.pass(5 * time.Second)
	if !r.seats[founder.Public()].Leads() || r.seats[apart].Branch().Primary() == founder.Public() {
		t.Fatal("the founder does not lead")
	}
	r.away[apart] = false
	r.pass(20 * time.Second)
	r.same()
	if got := r.seats[apart].Branch(); got.Primary() != founder.Public() {
		t.Errorf("who was apart follows %v in term %d", got.Primary(), got.Record.Number)
	}
}

// A hub that one elected who is not known by itself, with its report.
func TestWhoReportsShowsThatItIsInTheGroup(t *testing.T) {
	t.Parallel()
	newcomer := stranger(77)
	for name, shows := range map[string]bool{"it shows nothing": false, "it has joined": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, 3)
			r.pass(time.Second)
			victim := r.seats[r.signers[2].Public()]
			cur := victim.Branch()
			claim := wire.HubRecord{
				Group: r.group(), Number: 2, Version: 1, Links: []wire.HubHash{cur.Record.Hash()}, Cause: wire.CauseElection,
			}.Sign(r.signers[1], nil)
			report := wire.Report{Group: r.group(), Opened: cur.Term().Opened, Time: wire.Millis(r.now.UnixMilli())}.Sign(newcomer)
			f := &wire.HubRecordFrame{
				Record: claim, Linked: [][]byte{cur.Record.Bytes()}, Evidence: []wire.Evidence{{Tag: protocols.TagGroupReport, Structure: report}},
			}
			if shows {
				join := r.record(newcomer, r.group(), 1, wire.KindJoin, (&wire.Join{Name: "new"}).Append(nil))
				f.Evidence = append(f.Evidence, wire.Evidence{Tag: protocols.TagGroupRecord, Structure: join.Bytes()})
			}
			r.away[r.signers[0].Public()], r.away[r.signers[1].Public()] = true, true
			for range 10 {
				r.must(victim.Receive(r.now, r.signers[1].Public(), f))
				r.pass(200 * time.Millisecond)
			}
			if got := victim.Branch().Primary() == r.signers[1].Public(); got != shows {
				t.Errorf("it is followed: %v", got)
			}
		})
	}
}

// A relay goes when an admin lists it no more, wherever it hears of that, but not by
// what stood in its log already, or is as old as what it may have forgotten.
func TestARelayIsNotTakenOffTheListByWhatItKnows(t *testing.T) {
	t.Parallel()
	relay := stranger(88)
	for name, c := range map[string]struct {
		brought func(r *room, unlisted *wire.Record) *wire.Record
		want    int
	}{
		"an admin lists it no more": {func(r *room, _ *wire.Record) *wire.Record { return r.listing(r.signers[0], 9) }, 1},
		"a member does not list it": {func(r *room, _ *wire.Record) *wire.Record { return r.listing(r.signers[1], 9) }, 0},
		"it is listed again since":  {func(_ *room, unlisted *wire.Record) *wire.Record { return unlisted }, 0},
		"that is a day old": {func(r *room, _ *wire.Record) *wire.Record {
			r.now = r.now.Add(-24 * time.Hour)
			defer func() { r.now = r.now.Add(24 * time.Hour) }()
			return r.listing(r.signers[0], 9)
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, 3)
			r.pass(time.Second)
			founder := r.signers[0]
			unlisted := r.listing(founder, 2)
			for _, x := range []*wire.Record{r.listing(founder, 1, relay.Public()), unlisted, r.listing(founder, 3, relay.Public())} {
				r.seats[founder.Public()].Write(r.now, x)
				r.settle()
			}
			r.pass(time.Second)
			cfg := seat.Config{Charter: r.charter, Signer: relay, Verifier: protocols.Main, Prover: proof.NewVerifier(protocols.Main)}
			st, err := seat.New(r.now, cfg, r.disks[r.signers[1].Public()].Clone(), false)
			r.must(err)
			if !st.Ledger().Fold().Hears(relay.Public()) || st.Ledger().Fold().Member(relay.Public()) {
				t.Fatal("it is no relay")
			}
			st.Ready(r.now)
			brought := &wire.Publish{Group: r.group(), Records: [][]byte{c.brought(r, unlisted).Bytes()}}
			for _, by := range r.signers { // all who have it bring it: it is told once
				r.must(st.Receive(r.now, by.Public(), brought))
			}
			removed := 0
			for _, e := range st.Ready(r.now).Record {
				if e.Kind == member.Removed {
					removed++
				}
			}
			if removed != c.want {
				t.Errorf("it is told %d times that it is out", removed)
			}
		})
	}
}

// A hub that many follow who joined of late shows as many of their joins as there is room
// for, in the order of its log.
func TestAHubShowsWhatThereIsRoomFor(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 3)
	r.pass(time.Second)
	founder, rival := r.seats[r.signers[0].Public()], r.signers[1]
	cur := founder.Branch()
	for i := range byte(250) {
		s := protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(append(bytes.Repeat([]byte{99}, 31), i)))
		join := r.record(s, r.group(), 1, wire.KindJoin, (&wire.Join{Name: "one of very many"}).Append(nil))
		r.must(founder.Receive(r.now, s.Public(), &wire.Publish{Group: r.group(), Records: [][]byte{join.Bytes()}}))
		a := wire.Attach{
			Group: r.group(), Opened: cur.Term().Opened, Last: wire.Place{Number: 1, Primary: cur.Primary(), Seq: 1}, Time: wire.Millis(r.now.UnixMilli()),
		}.Sign(s)
		r.must(founder.Receive(r.now, s.Public(), &wire.AttachFrame{Attach: a}))
	}
	link, err := wire.ParseHubRecord(protocols.Main, wire.HubRecord{
		Group: r.group(), Number: 2, Version: 2, Shadow: rival.Public(), Links: []wire.HubHash{cur.Record.Hash()}, Cause: wire.CauseChange,
	}.Sign(r.signers[2], nil))
	r.must(err)
	claim := wire.HubRecord{Group: r.group(), Number: 3, Version: 1, Links: []wire.HubHash{link.Hash()}, Cause: wire.CausePromotion}.Sign(rival, nil)
	founder.Ready(r.now)
	r.must(founder.Receive(r.now, rival.Public(), &wire.Meet{HubRecordFrame: wire.HubRecordFrame{Record: claim, Linked: [][]byte{link.Bytes()}}}))
	for _, x := range founder.Ready(r.now).Send {
		f, ok := x.Frame.(*wire.Meet)
		if !ok || x.To != rival.Public() {
			continue
		}
		var shown []wire.Seq
		size, attaches := 0, 0
		for _, e := range f.Evidence {
			if e.Tag != protocols.TagGroupRecord {
				attaches++
				continue
			}
			rec, err := wire.ParseRecord(e.Structure)
			r.must(err)
			at, _ := founder.Ledger().Log().Find(rec.Name())
			shown, size = append(shown, at), size+len(e.Structure)
		}
		if !slices.IsSorted(shown) || size > 32<<10 || size < 24<<10 || len(shown) >= 250 || attaches < 250 {
			t.Errorf("shown are %d records, %d bytes, and %d attaches; in order: %v", len(shown), size, attaches, slices.IsSorted(shown))
		}
		return
	}
	t.Error("it does not say who follows it")
}

// Who follows a branch that began when a hub had joined already may be new, and hold
// nothing of the log: it is shown the hub's join all the same, and how admins came to be
// that.
func TestAHubShowsItsJoinToWhoMayHoldNoLog(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 4)
	r.pass(time.Second)
	founder, bob := r.seats[r.signers[0].Public()], r.signers[1].Public()
	r.role(bob, 1, wire.RoleAdmin)
	founder.Move(r.now, bob)
	r.pass(time.Second)
	founder.Move(r.now, r.signers[2].Public())
	r.pass(time.Second)
	before := founder.Branch()
	founder.Move(r.now, bob)
	r.pass(time.Second)
	hub := r.seats[bob]
	hub.Ready(r.now)
	f := before.Frame()
	r.must(hub.Receive(r.now, r.signers[3].Public(), &f))
	for _, x := range hub.Ready(r.now).Send {
		f, ok := x.Frame.(*wire.HubRecordFrame)
		if !ok || x.To != r.signers[3].Public() {
			continue
		}
		var shown []wire.Kind
		for _, e := range f.Evidence {
			if rec, err := wire.ParseRecord(e.Structure); err == nil && (rec.Author == bob || rec.Kind == wire.KindRole) {
				shown = append(shown, rec.Kind)
			}
		}
		if slices.Equal(shown, []wire.Kind{wire.KindJoin, wire.KindRole}) {
			return
		}
	}
	t.Error("it does not show it")
}

// Of a hub that joined long ago a snapshot is shown, to who follows a branch from before
// what is kept of the log: not to who may well have that, nor with each answer to one
// that says of its branch only that it is another.
func TestASnapshotIsShownToWhoseLogIsOlder(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 3)
	r.pass(time.Second)
	founder, bob, carol := r.seats[r.signers[0].Public()], r.signers[1], r.signers[2]
	first := founder.Branch()
	founder.Move(r.now, bob.Public())
	r.pass(time.Second)
	list := founder.Ledger().Fold().Roster()
	snapshot := r.record(r.signers[0], r.group(), 9, wire.KindSnapshot, list.Append(nil))
	founder.Write(r.now, snapshot)
	r.pass(time.Second)
	founder.Move(r.now, carol.Public())
	r.pass(time.Second)
	since := founder.Branch()
	founder.Move(r.now, bob.Public())
	r.pass(time.Second)
	r.now = r.now.Add(24 * time.Hour)
	cfg := seat.Config{Charter: r.charter, Signer: bob, Verifier: protocols.Main, Prover: proof.NewVerifier(protocols.Main)}
	hub, err := seat.New(r.now, cfg, r.disks[bob.Public()].Clone(), false)
	r.must(err)
	stray := wire.Beat{Group: r.group(), Term: wire.Term{Number: 7}, Version: 1, Counter: 1, Time: wire.Millis(r.now.UnixMilli())}
	older, newer := first.Frame(), since.Frame()
	for name, c := range map[string]struct {
		says wire.Frame
		want int
	}{
		"an older branch":     {&older, 1},
		"a branch since":      {&newer, 0},
		"that it has another": {&wire.BeatFrame{Beat: stray.Sign(carol)}, 0},
	} {
		hub.Ready(r.now)
		r.must(hub.Receive(r.now, carol.Public(), c.says))
		told, shown := 0, 0
		for _, x := range hub.Ready(r.now).Send {
			f, ok := x.Frame.(*wire.HubRecordFrame)
			if !ok || x.To != carol.Public() {
				continue
			}
			told++
			for _, e := range f.Evidence {
				if bytes.Equal(e.Structure, snapshot.Bytes()) {
					shown++
				}
			}
		}
		if told != 1 || shown != c.want {
			t.Errorf("%s: it is told %d times, and shown %d snapshots", name, told, shown)
		}
	}
}

// Who was kicked while it was apart is brought the record of that by all whom it reaches,
// when it speaks of another term than theirs: by a hub as soon as the kick is accepted.
func TestWhoIsOutIsBroughtTheRecordOfThat(t *testing.T) {
	t.Parallel()
	beat := func(term wire.Term) func(r *room, s protocols.Signer) wire.Frame {
		return func(r *room, s protocols.Signer) wire.Frame {
			if term == (wire.Term{}) {
				term = r.seats[s.Public()].Branch().Term()
			}
			b := wire.Beat{Group: r.group(), Term: term, Version: 1, Counter: 1, Time: wire.Millis(r.now.UnixMilli())}
			return &wire.BeatFrame{Beat: b.Sign(s)}
		}
	}
	for name, c := range map[string]struct {
		by    int
		says  func(r *room, s protocols.Signer) wire.Frame
		alone bool // nobody else has the kick yet
		want  int
	}{
		"the hub, by a beat":         {0, beat(wire.Term{Number: 7}), false, 1},
		"a member, by a beat":        {1, beat(wire.Term{Number: 7}), false, 1},
		"the hub, which it meets":    {0, func(r *room, s protocols.Signer) wire.Frame { return &wire.Meet{HubRecordFrame: *r.takeover(s)} }, false, 1},
		"by a beat in the same term": {0, beat(wire.Term{}), false, 0},
		"the hub, too early":         {0, beat(wire.Term{Number: 7}), true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, 4)
			r.pass(time.Second)
			victim, by := r.signers[2], r.seats[r.signers[c.by].Public()]
			r.away[victim.Public()] = true
			r.away[r.signers[1].Public()], r.away[r.signers[3].Public()] = c.alone, c.alone
			names, _ := by.Ledger().Fold().Names(victim.Public())
			target := wire.Target{Kind: wire.KindKick, Member: victim.Public(), Names: names}
			kick := r.record(r.signers[0], r.group(), 1, wire.KindKick, target.Append(nil))
			r.seats[r.signers[0].Public()].Write(r.now, kick)
			r.pass(time.Second)
			by.Ready(r.now)
			if by.Ledger().Fold().Member(victim.Public()) {
				t.Fatal("it is a member still")
			}
			r.must(by.Receive(r.now, victim.Public(), c.says(r, victim)))
			brought := 0
			for _, x := range by.Ready(r.now).Send {
				if f, ok := x.Frame.(*wire.Publish); ok && x.To == victim.Public() && bytes.Equal(f.Records[0], kick.Bytes()) {
					brought++
				}
			}
			if brought != c.want {
				t.Errorf("it is brought the record %d times", brought)
			}
		})
	}
}
