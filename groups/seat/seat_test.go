package seat_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/ledger"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/seat"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/proof"
)

// room is a group of seats with real keys, whose frames arrive at once and as
// bytes.
type room struct {
	t        *testing.T
	now      time.Time
	signers  []protocols.Signer
	seats    map[protocols.Key]*seat.Seat
	disks    map[protocols.Key]*seat.Disk
	away     map[protocols.Key]bool
	charter  *wire.Charter
	accepted int
	arrived  map[protocols.Key]int
	named    map[protocols.Key]int // in drafts, whether they arrive or not
	refused  []error
}

func newRoom(t *testing.T, n int) *room {
	t.Helper()
	r := &room{
		t: t, now: time.UnixMilli(1_790_000_000_123), seats: make(map[protocols.Key]*seat.Seat), disks: make(map[protocols.Key]*seat.Disk), away: make(map[protocols.Key]bool), arrived: make(map[protocols.Key]int), named: make(map[protocols.Key]int),
	}
	for i := range n {
		r.signers = append(r.signers, protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(i + 1)}, 32))))
	}
	c, err := wire.ParseCharter(protocols.Main, wire.Charter{Settings: wire.Settings{Name: "room", Open: true, Max: 400, Beat: 500}}.Sign(r.signers[0]))
	r.must(err)
	r.charter = c
	first, err := failover.First(r.signers[0], c, protocols.Main)
	r.must(err)
	disk := seat.Disk{Failover: failover.Durable{Current: first}, Log: r.joins(c)}
	for _, s := range r.signers {
		st, err := seat.New(r.now, seat.Config{Charter: c, Signer: s, Verifier: protocols.Main, Prover: proof.NewVerifier(protocols.Main)}, disk, false)
		r.must(err)
		own := disk.Clone()
		r.seats[s.Public()], r.disks[s.Public()] = st, &own
	}
	r.settle()
	return r
}

func (r *room) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// joins is the log in which all but the first have joined.
func (r *room) joins(c *wire.Charter) (log []seat.Stored) {
	l := ledger.New(protocols.Main, c)
	for i, s := range r.signers[1:] {
		e := &wire.Entry{Record: r.record(s, c.Group(), i, wire.KindJoin, (&wire.Join{Name: "me"}).Append(nil))}
		p := wire.Place{Number: 1, Primary: c.Creator, Seq: wire.Seq(i + 1)}
		_, err := l.Append(p, e.Append(nil), e)
		r.must(err)
		log = append(log, seat.Stored{Place: p, Raw: e.Append(nil)})
	}
	return log
}

func (r *room) record(s protocols.Signer, g wire.GroupID, id int, kind wire.Kind, payload []byte) *wire.Record {
	rec, err := wire.ParseRecord(wire.SignRecords(s, []wire.Record{{
		Group: g, ID: wire.RecordID{byte(id), byte(kind)}, Kind: kind, Time: wire.Millis(r.now.UnixMilli()), Payload: payload,
	}})[0])
	r.must(err)
	return rec
}

// settle delivers all that is to be sent, and what that leads to.
func (r *room) settle() {
	for again := true; again; {
		again = false
		for _, s := range r.signers {
			again = r.deliver(s.Public()) || again
		}
	}
}

func (r *room) deliver(from protocols.Key) bool {
	ready := r.seats[from].Ready(r.now)
	r.disks[from].Apply(ready.Save)
	for _, e := range ready.Record {
		switch e.Kind {
		case member.Accepted:
			r.accepted++
		case member.Arrived:
			r.arrived[from]++
		}
	}
	for _, x := range append(ready.Send, r.seats[from].Acknowledge(r.now)...) {
		if _, draft := x.Frame.(*wire.Named); draft {
			r.named[x.To]++
		}
		to := r.seats[x.To]
		if to == nil || r.away[from] || r.away[x.To] {
			continue
		}
		parse := wire.ParseGroupFrame
		if wire.OnHub(x.Frame) {
			parse = wire.ParseHubFrame
		}
		f, err := parse(protocols.Main, wire.AppendFrame(nil, x.Frame))
		r.must(err)
		if err := to.Receive(r.now, from, f); err != nil {
			r.refused = append(r.refused, err)
		}
	}
	return len(ready.Send) > 0
}

// pass lets time pass in small steps.
func (r *room) pass(d time.Duration) {
	for end := r.now.Add(d); r.now.Before(end); {
		r.now = r.now.Add(20 * time.Millisecond)
		for _, s := range r.signers {
			if st := r.seats[s.Public()]; !r.away[s.Public()] && !st.Deadline().After(r.now) {
				st.Tick(r.now)
			}
		}
		r.settle()
	}
}

func (r *room) write(s protocols.Signer, id int) *wire.Record {
	st := r.seats[s.Public()]
	m := wire.Message{Roster: st.Ledger().Fold().Version(), Ciphertext: []byte("sealed")}
	rec := r.record(s, st.Branch().Record.Group, id, wire.KindMessage, m.Append(nil))
	st.Write(r.now, rec)
	r.settle()
	return rec
}

func (r *room) same() {
	r.t.Helper()
	_, want := r.seats[r.signers[1].Public()].Ledger().Log().End()
	for i, s := range r.signers {
		if _, got := r.seats[s.Public()].Ledger().Log().End(); got != want && !r.away[s.Public()] {
			r.t.Errorf("seat %d holds another log", i)
		}
	}
	for _, err := range r.refused {
		r.t.Errorf("refused: %v", err)
	}
}

// The whole of it with real signatures: order, a hub that is gone, its return.
func TestSeatsWithRealKeysAgree(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 4)
	r.pass(time.Second)
	for i := range 10 {
		r.write(r.signers[i%4], i)
		r.pass(100 * time.Millisecond)
	}
	if r.accepted != 10 {
		t.Errorf("%d of 10 accepted", r.accepted)
	}
	hub := r.signers[0].Public()
	r.away[hub] = true
	for i := range 10 {
		r.write(r.signers[1+i%3], 100+i)
		r.pass(300 * time.Millisecond)
	}
	r.pass(3 * time.Second)
	if r.accepted != 20 {
		t.Errorf("%d of 20 accepted without the first hub", r.accepted)
	}
	r.same()
	r.away[hub] = false
	r.pass(10 * time.Second)
	r.same()
	if st := r.seats[hub]; st.Leads() || r.arrived[hub] != 20 {
		t.Errorf("the first hub leads: %v; it has seen %d messages", st.Leads(), r.arrived[hub])
	}
}

func TestWhatIsNotItsAuthorsIsRefused(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 3)
	r.pass(time.Second)
	hub, victim, villain := r.seats[r.signers[0].Public()], r.signers[1], r.signers[2]
	g := hub.Branch().Record.Group
	stolen := *r.record(villain, g, 7, wire.KindLeave, (&wire.Target{Kind: wire.KindLeave}).Append(nil))
	stolen.Author = victim.Public()
	b := (&wire.Entry{Record: &stolen}).Append(nil)
	record := b[1 : len(b)-1]
	before := hub.Ledger().Log().Seq()
	if err := hub.Receive(r.now, villain.Public(), &wire.Publish{Group: g, Records: [][]byte{record}}); err == nil {
		t.Error("a record in another's name is taken")
	}
	if hub.Ledger().Log().Seq() != before {
		t.Error("it stands in the log")
	}
	beat := wire.Beat{Group: g, Term: hub.Branch().Term(), Version: 1, Counter: 1 << 60}.Sign(villain)
	beat[40]++
	if err := hub.Receive(r.now, villain.Public(), &wire.BeatFrame{Beat: beat}); err == nil {
		t.Error("a beat that nobody signed is taken")
	}
}

// Whoever was kicked, or never was in, brings nothing into the log: not as itself,
// and not as what is said to have had a place in it.
func TestStrangersLeaveNoTraceInTheLog(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 3)
	r.pass(time.Second)
	hub := r.seats[r.signers[0].Public()]
	g, before := hub.Branch().Record.Group, hub.Ledger().Log().Seq()
	stranger := protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{99}, 32)))
	m := (&wire.Message{Roster: hub.Ledger().Fold().Version()}).Append(nil)
	old := &wire.Old{Place: wire.Place{Number: 1, Primary: r.signers[0].Public(), Seq: 2}}
	plain := r.record(stranger, g, 1, wire.KindMessage, m)
	for name, b := range map[string][]byte{
		"a message":                      plain.Bytes(),
		"a message that had a place":     (&wire.Entry{Record: plain, Old: old}).Append(nil),
		"another's that had a place":     (&wire.Entry{Record: r.record(r.signers[1], g, 9, wire.KindMessage, m), Old: old}).Append(nil),
		"a kick":                         r.record(stranger, g, 2, wire.KindKick, (&wire.Target{Kind: wire.KindKick, Member: r.signers[1].Public()}).Append(nil)).Bytes(),
		"a join without being let in":    r.record(stranger, g, 3, wire.KindJoin, (&wire.Join{Invite: []byte{1}}).Append(nil)).Bytes(),
		"a settings record of its fancy": r.record(stranger, g, 4, wire.KindSettings, m).Bytes(),
	} {
		if err := hub.Receive(r.now, stranger.Public(), &wire.Publish{Group: g, Records: [][]byte{b}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if hub.Ledger().Log().Seq() != before {
			t.Fatalf("%s stands in the log", name)
		}
	}
	hub.Ready(r.now)
	h := wire.HubRecord{
		Group: g, Number: 2, Version: 1, Links: []wire.HubHash{hub.Branch().Record.Hash()}, Cause: wire.CausePromotion,
	}.Sign(stranger, nil)
	frame := &wire.HubRecordFrame{Record: h, Linked: [][]byte{hub.Branch().Record.Bytes()}}
	for _, st := range r.seats {
		_ = st.Receive(r.now, stranger.Public(), frame)
		_ = st.Receive(r.now, stranger.Public(), &wire.Meet{HubRecordFrame: *frame})
		_ = st.Receive(r.now, stranger.Public(), &wire.Yield{HubRecordFrame: *frame})
	}
	r.settle()
	r.pass(5 * time.Second)
	for _, s := range r.signers {
		if b := r.seats[s.Public()].Branch(); b.Primary() != r.signers[0].Public() || b.Record.Number != 1 {
			t.Errorf("a stranger moved a member to term %d", b.Record.Number)
		}
	}
}

// Who is named hub while it cannot be reached is hub when it is back, unless that is
// too late, or another has become hub meanwhile.
func TestWhoIsNamedHubIsNamedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		away time.Duration
		dies bool // the hub does meanwhile
		hub  int
	}{
		"it is away for a moment":    {away: 5 * time.Second, hub: 2},
		"for long":                   {away: time.Minute},
		"and there is another since": {away: 10 * time.Second, dies: true, hub: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, 4)
			r.pass(10 * time.Second)
			admin, named := r.signers[0].Public(), r.signers[2].Public()
			r.away[named] = true
			r.pass(5 * time.Second) // it is neither shadow nor candidate now
			r.seats[admin].Move(r.now, named)
			r.settle()
			r.pass(c.away / 2)
			r.away[admin] = c.dies
			r.pass(c.away / 2)
			r.away[admin], r.away[named] = false, false
			r.pass(15 * time.Second)
			r.same()
			want := r.signers[c.hub].Public()
			for i, s := range r.signers {
				if got := r.seats[s.Public()].Branch().Primary(); got != want {
					t.Errorf("seat %d follows %v, and not %v", i, got, want)
				}
			}
		})
	}
}

// leaves has the hub leave, hand over, and be gone.
func (r *room) leaves(hub protocols.Signer) {
	r.t.Helper()
	st := r.seats[hub.Public()]
	names, _ := st.Ledger().Fold().Names(hub.Public())
	leave := wire.Target{Kind: wire.KindLeave, Member: hub.Public(), Names: names}
	st.Write(r.now, r.record(hub, st.Branch().Record.Group, 1, wire.KindLeave, leave.Append(nil)))
	r.settle()
	if !st.Resign(r.now) {
		r.t.Fatal("the hub does not hand over")
	}
	r.settle()
	r.away[hub.Public()] = true
}

// Whoever has not heard yet that the hub handed over follows the next one as soon as
// it is told: that takes no admin.
func TestAHubThatHandedOverIsFollowedByNobody(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 3)
	r.pass(10 * time.Second)
	first := r.seats[r.signers[0].Public()].Branch()
	next := r.seats[first.Record.Shadow]
	r.leaves(r.signers[0])
	behind := first.Record.Candidate
	before := first.Frame()
	r.must(next.Receive(r.now, behind, &before))
	ready := next.Ready(r.now)
	told := slices.ContainsFunc(ready.Send, func(x seat.Send) bool {
		_, shows := x.Frame.(*wire.HubRecordFrame)
		return shows && x.To == behind
	})
	if !next.Leads() || next.Branch().Record.Number != 2 || !told {
		t.Errorf("the next hub leads: %v, term %d; it shows who is behind its record: %v", next.Leads(), next.Branch().Record.Number, told)
	}
}

// The only admin leaves, and who is admin then moves the hub: who was apart has not
// seen that it is one, and follows it all the same.
func TestAnAdminBySuccessionIsBelieved(t *testing.T) {
	t.Parallel()
	for _, apart := range []time.Duration{300 * time.Millisecond, 2 * time.Second, 30 * time.Second, 5 * time.Minute} {
		for behind := 2; behind <= 4; behind++ {
			t.Run(fmt.Sprint(behind, " is apart for ", apart), func(t *testing.T) {
				t.Parallel()
				r := newRoom(t, 5)
				r.pass(10 * time.Second)
				admin, absent := r.seats[r.signers[1].Public()], r.signers[behind].Public()
				r.away[absent] = true
				if admin.Branch().Record.Shadow == absent {
					r.pass(5 * time.Second)
				}
				r.leaves(r.signers[0])
				for _, s := range r.signers[1:] {
					if k := s.Public(); k != absent && k != admin.Branch().Primary() {
						admin.Move(r.now, k)
						break
					}
				}
				r.settle()
				r.pass(apart)
				if b := admin.Branch(); b.Opened.Cause != wire.CauseAdmin || b.Opened.Admin != r.signers[1].Public() {
					t.Fatal("not what this is about")
				}
				r.away[absent] = false
				r.pass(20 * time.Second)
				r.same()
				for i, s := range r.signers[1:] {
					if got := r.seats[s.Public()].Branch(); got.Term() != admin.Branch().Term() {
						t.Errorf("seat %d follows %v in term %d", i+1, got.Primary(), got.Record.Number)
					}
				}
			})
		}
	}
}

// An admin that only listens, and has nothing else to do for seconds, names a hub
// each second too; no other meanwhile, and nobody that it has kicked.
func TestAHubIsNamedEachSecond(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 6)
	admin := r.seats[r.signers[0].Public()]
	admin.Move(r.now, r.signers[1].Public())
	r.pass(10 * time.Second)
	chain := admin.Branch().Record
	var absent []protocols.Key
	for _, s := range r.signers[1:] {
		if k := s.Public(); k != chain.Primary && !chain.Names(k) {
			absent = append(absent, k)
			r.away[k] = true
		}
	}
	if chain.Primary != r.signers[1].Public() || chain.Names(r.signers[0].Public()) || len(absent) < 2 {
		t.Fatal("not what this is about")
	}
	again := func(to protocols.Key, want int) {
		t.Helper()
		clear(r.named)
		r.pass(10*time.Second + 500*time.Millisecond)
		if n := r.named[to]; n != want || len(r.named) > 1 {
			t.Errorf("named %d times in ten seconds, and %d others; want %d", n, len(r.named), want)
		}
	}
	first, second := absent[0], absent[1]
	admin.Move(r.now, first)
	r.settle()
	again(first, 10)
	admin.Move(r.now, second)
	r.settle()
	again(second, 10)
	names, _ := admin.Ledger().Fold().Names(second)
	kick := wire.Target{Kind: wire.KindKick, Member: second, Names: names}
	admin.Write(r.now, r.record(r.signers[0], chain.Group, 1, wire.KindKick, kick.Append(nil)))
	r.settle()
	again(second, 0)
}

// role is the founder's word on what a member is.
func (r *room) role(of protocols.Key, id int, role wire.Role) {
	r.t.Helper()
	founder := r.seats[r.signers[0].Public()]
	names, _ := founder.Ledger().Fold().Names(of)
	target := wire.Target{Kind: wire.KindRole, Member: of, Names: names, Role: role}
	founder.Write(r.now, r.record(r.signers[0], r.group(), id, wire.KindRole, target.Append(nil)))
	r.settle()
	if r.seats[r.signers[0].Public()].Ledger().Fold().Admin(of) != (role == wire.RoleAdmin) {
		r.t.Fatal("the role is another")
	}
}

// Who is no admin any more does not go on naming the hub that it named as one.
func TestWhoIsNoAdminAnyMoreNamesNobody(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 6)
	r.pass(10 * time.Second)
	made, chain := r.signers[1].Public(), r.seats[r.signers[0].Public()].Branch().Record
	r.role(made, 1, wire.RoleAdmin)
	var absent protocols.Key
	for _, s := range r.signers[2:] {
		if k := s.Public(); !chain.Names(k) {
			absent = k
		}
	}
	r.away[absent] = true
	r.seats[made].Move(r.now, absent)
	r.pass(3 * time.Second)
	if r.named[absent] < 3 {
		t.Fatalf("named %d times", r.named[absent])
	}
	r.role(made, 2, wire.RoleMember)
	clear(r.named)
	r.pass(10 * time.Second)
	if n := r.named[absent]; n > 0 {
		t.Errorf("named %d times more", n)
	}
}

// A draft is a lie if its author was no admin in the log that it speaks of, and not if
// it has been taken out, or is none any more, since.
func TestWhoWasAnAdminWhenItNamedAHubDoesNotLie(t *testing.T) {
	t.Parallel()
	const untouched, demoted, kicked = "never one", "none any more", "kicked"
	for name, c := range map[string]struct {
		what     string
		late     bool // it speaks of the log in which it is no admin
		outsider bool
		another  bool // it speaks of a log that is not here
		want     error
	}{
		"a member":             {what: untouched, want: seat.ErrDraft},
		"a stranger":           {what: untouched, outsider: true, want: seat.ErrDraft},
		"of another log":       {what: untouched, another: true},
		"before it is demoted": {what: demoted},
		"after it is demoted":  {what: demoted, late: true, want: seat.ErrDraft},
		"before it is kicked":  {what: kicked},
		"after it is kicked":   {what: kicked, late: true, want: seat.ErrDraft},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, 4)
			r.pass(time.Second)
			founder, author, victim := r.seats[r.signers[0].Public()], r.signers[1], r.signers[2].Public()
			if c.outsider {
				author = stranger(77)
			}
			draft := func() []byte {
				cur, log := r.seats[victim].Branch().Record, r.seats[victim].Ledger().Log()
				place, hash := log.End()
				if c.another {
					hash = wire.LogHash{5}
				}
				return wire.HubRecord{
					Group: r.group(), Number: cur.Number + 1, Version: 1, Primary: victim, Links: []wire.HubHash{cur.Hash()}, Cause: wire.CauseAdmin, Seq: place.Seq, Log: hash,
				}.Draft(author)
			}
			if c.what != untouched {
				r.role(author.Public(), 1, wire.RoleAdmin)
			}
			named := draft()
			switch c.what {
			case demoted:
				r.role(author.Public(), 2, wire.RoleMember)
			case kicked:
				names, _ := founder.Ledger().Fold().Names(author.Public())
				kick := wire.Target{Kind: wire.KindKick, Member: author.Public(), Names: names}
				founder.Write(r.now, r.record(r.signers[0], r.group(), 3, wire.KindKick, kick.Append(nil)))
				r.settle()
			}
			if r.seats[victim].Ledger().Fold().Admin(author.Public()) {
				t.Fatal("it is an admin still")
			}
			if c.late {
				named = draft()
			}
			if err := r.seats[victim].Receive(r.now, author.Public(), &wire.Named{Draft: named}); err != c.want {
				t.Errorf("%v, and not %v", err, c.want)
			}
			if r.seats[victim].Leads() {
				t.Error("it leads")
			}
		})
	}
}

// What a seat is told to save is enough to go on.
func TestASeatGoesOnFromItsDisk(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 3)
	r.pass(time.Second)
	r.write(r.signers[1], 1)
	r.away[r.signers[1].Public()] = true
	r.write(r.signers[1], 2) // never left
	again, err := seat.New(r.now, seat.Config{Charter: charterOf(t, r), Signer: r.signers[1], Verifier: protocols.Main, Prover: proof.NewVerifier(protocols.Main)}, *r.disks[r.signers[1].Public()], true)
	r.must(err)
	r.seats[r.signers[1].Public()] = again
	r.away[r.signers[1].Public()] = false
	r.pass(10 * time.Second)
	r.same()
	if r.accepted != 2 {
		t.Errorf("%d of 2 accepted", r.accepted)
	}
}

func charterOf(t *testing.T, r *room) *wire.Charter {
	t.Helper()
	c, err := wire.ParseCharter(protocols.Main, wire.Charter{Settings: wire.Settings{Name: "room", Open: true, Max: 400, Beat: 500}}.Sign(r.signers[0]))
	r.must(err)
	return c
}
