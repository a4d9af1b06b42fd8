package roster_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/groups/roster"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

const start wire.Millis = 1_790_000_000_123

// group is a fold, those who act on it, and a count of records.
type group struct {
	t       testing.TB
	fold    *roster.Fold
	charter []byte
	records byte
	now     wire.Millis
}

func signer(n byte) protocols.Signer {
	return protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, 32)))
}

// alice created the group; link is the key of a bearer invite.
var (
	alice, bob, carol, dave = signer(1), signer(2), signer(3), signer(4)
	link                    = signer(99)
)

func created(t testing.TB, open bool) *group {
	t.Helper()
	b := wire.Charter{Settings: wire.Settings{Name: "walkers", Open: open, Max: 10, Beat: 500}}.Sign(alice)
	c, err := wire.ParseCharter(protocols.Main, b)
	if err != nil {
		t.Fatal(err)
	}
	return &group{t: t, fold: roster.New(protocols.Main, c), charter: b, now: start}
}

// peopled is a group of alice, bob, carol, dave, in this order.
func peopled(t testing.TB) *group {
	t.Helper()
	g := created(t, true)
	for _, s := range []protocols.Signer{bob, carol, dave} {
		g.does(s, g.join(s, nil, nil))
	}
	return g
}

func (g *group) record(s protocols.Signer, kind wire.Kind, payload []byte) *wire.Record {
	g.records++
	b := wire.SignRecords(s, []wire.Record{{
		Group: wire.GroupOf(g.charter), ID: wire.RecordID{g.records}, Kind: kind, Time: g.now, Payload: payload,
	}})[0]
	r, err := wire.ParseRecord(b)
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}

func (g *group) join(s protocols.Signer, invite, signature []byte) *wire.Record {
	return g.record(s, wire.KindJoin, (&wire.Join{Invite: invite, Signature: signature, Name: "me"}).Append(nil))
}

// byLink is a join with the link's key.
func (g *group) byLink(s protocols.Signer, invite []byte) *wire.Record {
	return g.join(s, invite, wire.SignJoin(link, wire.GroupOf(g.charter), s.Public()))
}

func (g *group) about(by protocols.Signer, kind wire.Kind, of protocols.Signer, role wire.Role) *wire.Record {
	names, _ := g.fold.Names(of.Public())
	return g.record(by, kind, (&wire.Target{Kind: kind, Member: of.Public(), Role: role, Names: names}).Append(nil))
}

func (g *group) kick(by, of protocols.Signer) *wire.Record { return g.about(by, wire.KindKick, of, 0) }

func (g *group) leave(of protocols.Signer) *wire.Record { return g.about(of, wire.KindLeave, of, 0) }

func (g *group) role(by, of protocols.Signer, r wire.Role) *wire.Record {
	return g.about(by, wire.KindRole, of, r)
}

func (g *group) invite(by protocols.Signer, change func(*wire.Invite)) []byte {
	i := wire.Invite{Charter: g.charter, Uses: 1, Made: g.now, Expires: g.now + 3_600_000, Roster: g.fold.Version(), RosterHash: g.fold.Hash()}
	change(&i)
	return i.Sign(by)
}

func (g *group) bearer(by protocols.Signer, uses uint64) []byte {
	return g.invite(by, func(i *wire.Invite) { i.Bearer, i.Uses = link.Public(), uses })
}

func (g *group) bound(by, to protocols.Signer) []byte {
	return g.invite(by, func(i *wire.Invite) { i.For = to.Public() })
}

// does folds a record that must take effect.
func (g *group) does(_ protocols.Signer, r *wire.Record) roster.Change {
	g.t.Helper()
	c, err := g.fold.Apply(r, false)
	if err != nil {
		g.t.Fatalf("%v is void: %v", r.Kind, err)
	}
	return c
}

// void folds a record that must be void and change nothing.
func (g *group) void(r *wire.Record, want error) {
	g.t.Helper()
	before := g.fold.Hash()
	if _, err := g.fold.Apply(r, false); !errors.Is(err, want) {
		g.t.Errorf("%v: %v; want %v", r.Kind, err, want)
	}
	if g.fold.Hash() != before {
		g.t.Errorf("a void %v changed the roster", r.Kind)
	}
}

func (g *group) members(want ...protocols.Signer) {
	g.t.Helper()
	got := g.fold.Nodes()
	for i, s := range want {
		if i >= len(got) || got[i] != s.Public() {
			g.t.Fatalf("place %d is not whose it should be, of %d", i, len(got))
		}
	}
	if len(got) != len(want) {
		g.t.Fatalf("%d members; want %d", len(got), len(want))
	}
}

func TestTheCreatorIsTheFirstAdmin(t *testing.T) {
	t.Parallel()
	g := created(t, false)
	g.members(alice)
	if !g.fold.Admin(alice.Public()) || g.fold.Version() != 0 {
		t.Error("not an admin from the beginning")
	}
}

func TestOnlyThoseInvitedComeIn(t *testing.T) {
	t.Parallel()
	g := created(t, false)
	g.void(g.join(bob, nil, nil), roster.ErrInvite)
	g.void(g.join(bob, g.bound(carol, bob), nil), roster.ErrInvite) // no admin invites
	g.void(g.join(carol, g.bound(alice, bob), nil), roster.ErrInvite)
	g.does(bob, g.join(bob, g.bound(alice, bob), nil))
	g.void(g.join(carol, g.bound(bob, carol), nil), roster.ErrInvite) // a member, no admin

	two := g.bearer(alice, 2)
	g.void(g.join(carol, two, nil), roster.ErrInvite)
	g.void(g.join(carol, two, wire.SignJoin(link, wire.GroupOf(g.charter), dave.Public())), roster.ErrInvite) // signed for another
	g.void(g.join(carol, two, wire.SignJoin(alice, wire.GroupOf(g.charter), carol.Public())), roster.ErrInvite)
	g.does(carol, g.byLink(carol, two))
	g.void(g.byLink(carol, two), roster.ErrMember)
	g.does(dave, g.byLink(dave, two))
	g.void(g.byLink(signer(5), two), roster.ErrInvite) // both uses are spent
	g.members(alice, bob, carol, dave)
}

// counting counts what it verifies.
type counting struct {
	protocols.Network
	invites int
}

func (c *counting) Verify(k protocols.Key, tag protocols.Tag, msg, sig []byte) bool {
	if tag == protocols.TagGroupInvite {
		c.invites++
	}
	return c.Network.Verify(k, tag, msg, sig)
}

// Many come by one link: it is verified once. One that differs from it is not it.
func TestALinkIsVerifiedOnce(t *testing.T) {
	t.Parallel()
	g := created(t, false)
	c, err := wire.ParseCharter(protocols.Main, g.charter)
	if err != nil {
		t.Fatal(err)
	}
	v := &counting{Network: protocols.Main}
	g.fold = roster.New(v, c)
	many := g.bearer(alice, 9)
	for i := range byte(6) {
		g.does(signer(10+i), g.byLink(signer(10+i), many))
	}
	if v.invites != 1 {
		t.Errorf("the link is verified %d times", v.invites)
	}
	forged := bytes.Clone(many)
	forged[len(forged)-1] ^= 1
	g.void(g.byLink(bob, forged), roster.ErrInvite)
	g.void(g.byLink(bob, g.bearer(carol, 9)), roster.ErrInvite) // who is not even a member
	g.does(bob, g.byLink(bob, many))
	g.void(g.join(carol, many, wire.SignJoin(bob, wire.GroupOf(g.charter), carol.Public())), roster.ErrInvite)
}

func TestInvitesEnd(t *testing.T) {
	t.Parallel()
	g := created(t, false)
	late := g.bearer(alice, 5)
	g.now += 3_600_001
	g.void(g.byLink(bob, late), roster.ErrInvite)
	ahead := g.invite(alice, func(i *wire.Invite) { i.Bearer, i.Roster = link.Public(), 7 })
	g.void(g.byLink(bob, ahead), roster.ErrInvite) // of a roster that is not yet
	if _, err := g.fold.Ahead().Apply(g.byLink(bob, ahead), false); err != nil || g.fold.Member(bob.Public()) {
		t.Errorf("as one from further on it is void, or counts here too: %v", err)
	}
	early := g.invite(alice, func(i *wire.Invite) {
		i.Bearer, i.Made, i.Expires = link.Public(), g.now+roster.Slack+1, g.now+2*roster.Slack
	})
	g.void(g.byLink(bob, early), roster.ErrInvite)
	other := wire.Charter{Nonce: [16]byte{1}, Settings: wire.Settings{Max: 5, Beat: 500}}.Sign(alice)
	elsewhere := g.invite(alice, func(i *wire.Invite) { i.Bearer, i.Charter = link.Public(), other })
	g.void(g.byLink(bob, elsewhere), roster.ErrInvite)
}

func TestAKickVoidsLinksAndBarsTheKicked(t *testing.T) {
	t.Parallel()
	g := peopled(t)
	old, oldBound := g.bearer(alice, 9), g.bound(alice, bob)
	if c := g.does(alice, g.kick(alice, bob)); c.Node != bob.Public() {
		t.Errorf("%+v", c)
	}
	g.void(g.byLink(signer(5), old), roster.ErrInvite)
	g.void(g.byLink(bob, g.bearer(alice, 9)), roster.ErrKicked) // a link it knows, even a new one
	g.void(g.join(bob, nil, nil), roster.ErrKicked)             // an open group is closed to it
	g.void(g.join(bob, oldBound, nil), roster.ErrKicked)
	g.void(g.record(bob, wire.KindMessage, (&wire.Message{Roster: g.fold.Version()}).Append(nil)), roster.ErrStranger)
	g.does(bob, g.join(bob, g.bound(alice, bob), nil))
	g.members(alice, carol, dave, bob)
	g.void(g.kick(bob, carol), roster.ErrRights)

	g.does(bob, g.leave(bob))
	g.does(bob, g.join(bob, nil, nil)) // it was forgiven, then left by itself
}

// What one of two clones goes through is not seen in the other: neither who is kicked
// nor who came back.
func TestClonesKickAndPardonForThemselves(t *testing.T) {
	t.Parallel()
	g := peopled(t)
	erin, frank := signer(5), signer(6)
	g.does(erin, g.join(erin, nil, nil))
	g.does(frank, g.join(frank, nil, nil))
	for _, s := range []protocols.Signer{bob, carol, dave} {
		g.does(alice, g.kick(alice, s))
	}
	other := group{t: t, fold: g.fold.Clone(), charter: g.charter, records: 100, now: g.now}
	kicked := func(g *group, want ...protocols.Signer) {
		t.Helper()
		if got := g.fold.Kicked(); !slices.EqualFunc(got, want, func(k protocols.Key, s protocols.Signer) bool { return k == s.Public() }) {
			t.Errorf("kicked are %v", got)
		}
	}
	other.does(alice, other.kick(alice, erin))
	g.does(alice, g.kick(alice, frank))
	kicked(&other, bob, carol, dave, erin)
	kicked(g, bob, carol, dave, frank)
	before := other.fold.Clone()
	other.does(bob, other.join(bob, other.bound(alice, bob), nil))
	kicked(&other, carol, dave, erin)
	kicked(&group{fold: before}, bob, carol, dave, erin)
}

func TestADemotionVoidsLinks(t *testing.T) {
	t.Parallel()
	g := peopled(t)
	g.does(alice, g.role(alice, bob, wire.RoleAdmin))
	byBob, byAlice := g.bearer(bob, 3), g.bearer(alice, 3)
	g.does(signer(5), g.byLink(signer(5), byBob))
	g.does(alice, g.role(alice, bob, wire.RoleMember))
	g.void(g.byLink(signer(6), byBob), roster.ErrInvite)
	g.void(g.byLink(signer(6), byAlice), roster.ErrInvite)
	g.members(alice, carol, dave, signer(5), bob)
}

func TestNobodyActsUpward(t *testing.T) {
	t.Parallel()
	g := peopled(t)
	g.void(g.role(bob, carol, wire.RoleAdmin), roster.ErrRights)
	g.void(g.role(alice, bob, wire.RoleMember), roster.ErrStale) // it is one
	g.does(alice, g.role(alice, dave, wire.RoleAdmin))
	g.does(alice, g.role(alice, carol, wire.RoleAdmin))
	g.members(alice, dave, carol, bob)
	g.void(g.kick(carol, dave), roster.ErrRights)
	g.void(g.role(carol, alice, wire.RoleMember), roster.ErrRights)
	g.void(g.role(carol, carol, wire.RoleMember), roster.ErrRights)
	g.void(g.kick(alice, alice), roster.ErrRights)
	g.void(g.record(dave, wire.KindDissolve, wire.Dissolve{}.Append(nil)), roster.ErrRights)
	g.does(dave, g.kick(dave, carol))
	g.does(alice, g.record(alice, wire.KindDissolve, wire.Dissolve{}.Append(nil)))
	g.void(g.leave(bob), roster.ErrDissolved)
}

// The two orders of two admins' quarrel end alike: the senior one stays.
func TestOrderDecidesNoQuarrel(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{true, false} {
		g := peopled(t)
		g.does(alice, g.role(alice, bob, wire.RoleAdmin))
		down, up := g.kick(alice, bob), g.kick(bob, alice)
		if !first {
			g.void(up, roster.ErrRights)
		}
		g.does(alice, down)
		if first {
			g.void(up, roster.ErrStranger)
		}
		g.members(alice, carol, dave)
	}
}

func TestTheMostSeniorInheritsTheGroup(t *testing.T) {
	t.Parallel()
	g := peopled(t)
	if c := g.does(alice, g.leave(alice)); c.Heir != bob.Public() || !g.fold.Admin(bob.Public()) {
		t.Errorf("%+v", c)
	}
	g.does(bob, g.kick(bob, carol))
	g.does(dave, g.leave(dave))
	g.does(bob, g.leave(bob))
	g.void(g.join(bob, nil, nil), roster.ErrDissolved)
}

// What was said once is worth nothing later: every such record names what it
// changes.
func TestOldRecordsCannotBeReplayed(t *testing.T) {
	t.Parallel()
	g := peopled(t)
	kick := g.kick(alice, bob)
	leave := g.leave(carol)
	promote := g.role(alice, dave, wire.RoleAdmin)
	g.does(alice, kick)
	g.does(bob, g.join(bob, g.bound(alice, bob), nil))
	g.void(kick, roster.ErrStale)
	g.does(carol, leave)
	g.does(carol, g.join(carol, nil, nil))
	g.void(leave, roster.ErrStale)
	g.does(alice, promote)
	g.does(alice, g.role(alice, dave, wire.RoleMember))
	g.void(promote, roster.ErrStale)
}

// What the last snapshot says is a day old may be forgotten, so nobody could tell
// that it comes again. It is void whatever it is, out of another branch too; and no
// snapshot from before makes anything younger.
func TestWhatIsPastIsVoid(t *testing.T) {
	t.Parallel()
	g := peopled(t)
	snapshot := func() *wire.Record {
		r := g.fold.Roster()
		return g.record(alice, wire.KindSnapshot, r.Append(nil))
	}
	g.does(carol, g.leave(carol))
	old := []*wire.Record{
		g.join(carol, nil, nil), g.record(alice, wire.KindRename, (&wire.Rename{Name: "old"}).Append(nil)),
		g.record(bob, wire.KindMessage, (&wire.Message{Roster: g.fold.Version()}).Append(nil)), g.leave(bob),
	}
	g.now += roster.Window + 2*roster.Slack
	g.does(alice, snapshot())
	for _, r := range old {
		if g.fold.Past(r) || g.fold.Judge(r, false) != nil {
			t.Errorf("%v: %v within a day", r.Kind, g.fold.Judge(r, false))
		}
	}
	before := snapshot()
	g.now++
	g.does(alice, snapshot())
	g.void(before, roster.ErrPast)
	for _, r := range old {
		g.void(r, roster.ErrPast)
		if _, err := g.fold.Apply(r, true); err != roster.ErrPast || g.fold.Judge(r, true) != roster.ErrPast || !g.fold.Past(r) {
			t.Errorf("%v out of another branch: %v", r.Kind, err)
		}
	}
}

func TestMessagesUnderOldChainsAreVoidButThroughAMerge(t *testing.T) {
	t.Parallel()
	g := peopled(t)
	old := g.record(bob, wire.KindMessage, (&wire.Message{Roster: g.fold.Version()}).Append(nil))
	g.does(bob, old)
	g.does(carol, g.leave(carol))
	g.void(old, roster.ErrChain)
	if _, err := g.fold.Apply(old, true); err != nil {
		t.Errorf("out of another branch: %v", err)
	}
	g.does(bob, g.record(bob, wire.KindMessage, (&wire.Message{Roster: g.fold.Version()}).Append(nil)))
	g.void(g.record(carol, wire.KindMessage, nil), roster.ErrStranger)
	g.void(g.record(bob, wire.KindMessage, []byte{0x90}), roster.ErrPayload)
}

func TestAFullGroupTakesNobody(t *testing.T) {
	t.Parallel()
	g := peopled(t)
	settings := g.fold.Settings()
	settings.Max = 4
	g.void(g.record(bob, wire.KindSettings, settings.Append(nil)), roster.ErrRights)
	g.does(alice, g.record(alice, wire.KindSettings, settings.Append(nil)))
	g.void(g.join(signer(5), nil, nil), roster.ErrFull)
	g.does(alice, g.record(alice, wire.KindRename, (&wire.Rename{Name: "four"}).Append(nil)))
	if g.fold.Settings().Name != "four" {
		t.Error("not renamed")
	}
}

func TestSnapshotsAreChecked(t *testing.T) {
	t.Parallel()
	g := peopled(t)
	r := g.fold.Roster()
	version := g.fold.Version()
	g.void(g.record(bob, wire.KindSnapshot, r.Append(nil)), roster.ErrRights)
	g.does(alice, g.record(alice, wire.KindSnapshot, r.Append(nil)))
	if g.fold.Version() != version {
		t.Error("a snapshot counts as a version")
	}
	r.Members[1].Role = wire.RoleAdmin
	g.void(g.record(alice, wire.KindSnapshot, r.Append(nil)), roster.ErrSnapshot)
	if g.fold.Precedes(bob.Public(), &r) || !g.fold.Precedes(alice.Public(), &r) {
		t.Error("whose snapshot follows")
	}
	r.Version--
	if g.fold.Precedes(alice.Public(), &r) {
		t.Error("an older roster follows")
	}
}

func TestForgottenInvitesCannotBeUsed(t *testing.T) {
	t.Parallel()
	g := created(t, false)
	first := g.bearer(alice, 1)
	g.does(bob, g.byLink(bob, first))
	g.now += 3*roster.Window + 1
	g.does(carol, g.byLink(carol, g.bearer(alice, 1)))
	if n := len(g.fold.Roster().Invites); n != 1 {
		t.Errorf("%d spent invites are remembered", n)
	}
	g.now -= roster.Window // the oldest time that a hub takes
	g.void(g.byLink(dave, first), roster.ErrInvite)
}

// step does something at random, by somebody, of which most is not allowed.
func (g *group) step(t *rapid.T, people []protocols.Signer, invites *[][]byte) *wire.Record {
	pick := func(label string) protocols.Signer { return rapid.SampledFrom(people).Draw(t, label) }
	role := rapid.SampledFrom([]wire.Role{wire.RoleMember, wire.RoleAdmin}).Draw(t, "role")
	switch by := pick("by"); rapid.IntRange(0, 7).Draw(t, "what") {
	case 0:
		return g.join(by, nil, nil)
	case 1, 2:
		*invites = append(*invites, g.bearer(pick("issuer"), 2), g.bound(pick("issuer"), by))
		i := rapid.SampledFrom(*invites).Draw(t, "invite")
		if rapid.Bool().Draw(t, "link") {
			return g.byLink(by, i)
		}
		return g.join(by, i, nil)
	case 3:
		return g.leave(by)
	case 4:
		return g.kick(by, pick("of"))
	case 5, 6:
		return g.role(by, pick("of"), role)
	default:
		s := g.fold.Settings()
		s.Open = !s.Open
		return g.record(by, wire.KindSettings, s.Append(nil))
	}
}

// All who hold the same log have the same roster, whether they folded it all or
// began at a snapshot; admins come first; nobody is in it twice; replaying the
// whole log on top of it changes nothing but who joins an open group. A clone stays
// what it was when it was made, whatever the fold then goes through.
func TestFoldsAgree(t *testing.T) {
	t.Parallel()
	people := []protocols.Signer{alice, bob, carol, dave, signer(5), signer(6)}
	rapid.Check(t, func(rt *rapid.T) {
		g := created(t, rapid.Bool().Draw(rt, "open"))
		other := g.fold.Clone()
		var late *roster.Fold
		var invites [][]byte
		var past []remembered
		defer func() { looksAsBefore(rt, past, people) }()
		for i := range rapid.IntRange(1, 40).Draw(rt, "steps") {
			past = append(past, remembered{g.fold.Clone(), g.fold.Roster()})
			r := g.step(rt, people, &invites)
			_, _ = rapid.SampledFrom(past).Draw(rt, "astray").fold.Clone().Apply(r, false) // goes its own way
			version := g.fold.Version()
			_, err := g.fold.Apply(r, false)
			_, err2 := other.Apply(r, false)
			if (err == nil) != (err2 == nil) || g.fold.Hash() != other.Hash() || (err == nil) != (g.fold.Version() == version+1) {
				rt.Fatalf("step %d, %v: %v and %v", i, r.Kind, err, err2)
			}
			if late != nil {
				if _, err3 := late.Apply(r, false); (err == nil) != (err3 == nil) || late.Hash() != g.fold.Hash() {
					rt.Fatalf("the late-comer judges %v otherwise: %v, %v", r.Kind, err, err3)
				}
			}
			if g.fold.Dissolved() {
				return
			}
			g.wellFormed(rt)
			if late == nil && rapid.IntRange(0, 5).Draw(rt, "snapshot") == 0 {
				late = g.fromSnapshot(rt)
			}
		}
	})
}

// remembered is a clone, and what it was a clone of.
type remembered struct {
	fold   *roster.Fold
	roster wire.Roster
}

func looksAsBefore(t *rapid.T, past []remembered, people []protocols.Signer) {
	for i, x := range past {
		if x.fold.Hash() != x.roster.Hash() {
			t.Errorf("the clone made before step %d has another roster now", i)
		}
		for _, s := range people {
			at, member := x.fold.Seniority(s.Public())
			was := slices.IndexFunc(x.roster.Members, func(m wire.Member) bool { return m.Node == s.Public() })
			if at != was || member != (was >= 0) {
				t.Errorf("before step %d one was at %d; now the clone says %d", i, was, at)
			}
		}
	}
}

func (g *group) wellFormed(t *rapid.T) {
	r := g.fold.Roster()
	admin := true
	for i, m := range r.Members {
		if m.Role == wire.RoleAdmin && !admin {
			t.Fatal("an admin behind one who is none")
		}
		admin = m.Role == wire.RoleAdmin
		if at, ok := g.fold.Seniority(m.Node); at != i || !ok {
			t.Fatalf("the member at %d is said to be at %d", i, at)
		}
		if slices.ContainsFunc(r.Members[:i], func(o wire.Member) bool { return o.Node == m.Node }) {
			t.Fatal("a member twice")
		}
	}
	if r.Members[0].Role != wire.RoleAdmin {
		t.Fatal("no admin")
	}
}

func (g *group) fromSnapshot(t *rapid.T) *roster.Fold {
	r := g.fold.Roster()
	back, err := wire.ParseRoster(r.Append(nil))
	if err != nil {
		t.Fatalf("a roster that cannot be read: %v", err)
	}
	c, err := wire.ParseCharter(protocols.Main, g.charter)
	if err != nil {
		t.Fatal(err)
	}
	return roster.FromSnapshot(protocols.Main, c, back)
}
