package failover_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// attach is the longest there is, to a term.
func attach(t *testing.T, now time.Time, s protocols.Signer, to wire.Term) *wire.Attach {
	t.Helper()
	place := wire.Place{Number: wire.MaxNumber, Primary: alice.Public(), Seq: 1 << 40}
	a, err := wire.ParseAttach(protocols.Main, wire.Attach{Group: charter(t).Group(), Opened: to.Opened, Last: place, Time: wire.Millis(now.UnixMilli())}.Sign(s))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The hub of the largest group, whom all follow, says so in a frame that is taken, and
// shows what there is room for.
func TestTheHubOfTheLargestGroupMeetsAnother(t *testing.T) {
	t.Parallel()
	now, c := time.UnixMilli(1_790_000_000_000), chainOf(t)
	signers := []protocols.Signer{alice, bob}
	for n := range uint32(wire.MaxMembers - 2) {
		seed := make([]byte, ed25519.SeedSize)
		binary.BigEndian.PutUint32(seed, n+1)
		signers = append(signers, protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(seed)))
	}
	var members []protocols.Key
	for _, s := range signers {
		members = append(members, s.Public())
	}
	cfg := config(t)
	cfg.Signer = alice
	cfg.Standing = func(_ time.Time, _, _ []protocols.Key, _ *failover.Branch, room int) (records [][]byte) {
		for ; room > 100; room -= 100 {
			records = append(records, make([]byte, 100-len(protocols.TagGroupRecord)-8))
		}
		return records
	}
	first, err := parse(c.first)
	if err != nil {
		t.Fatal(err)
	}
	m := failover.New(now, cfg, failover.Durable{Current: first}, false)
	m.Members(now, failover.Roster{Beat: 500 * time.Millisecond, Members: members})
	for _, s := range signers[2:] {
		m.OnAttach(now, s.Public(), attach(t, now, s, c.first.Term()))
	}
	rival, err := parse(c.promoted, c.second)
	if err != nil {
		t.Fatal(err)
	}
	m.Ready()
	m.OnMeet(now, protocols.Main, bob.Public(), rival, nil)
	for _, s := range m.Ready().Send {
		f, ok := s.Frame.(*wire.Meet)
		if !ok || s.To != bob.Public() {
			continue
		}
		b := wire.AppendFrame(nil, f)
		if _, err := wire.ParseHubFrame(protocols.Main, b); err != nil || len(b) > wire.MaxFrame || len(f.Evidence) < wire.MaxMembers-2 {
			t.Errorf("%d bytes with %d structures: %v", len(b), len(f.Evidence), err)
		}
		return
	}
	t.Error("it does not say who follows it")
}

// leads is bob's machine, which leads a branch in a group of three. It shows one record
// with what it says; of takes for whom, and to the branch of whom it is for.
func leads(t *testing.T, now time.Time, b *failover.Branch, of *[]protocols.Key, to **failover.Branch) *failover.Machine {
	t.Helper()
	cfg := config(t)
	cfg.Standing = func(_ time.Time, speakers, followers []protocols.Key, other *failover.Branch, _ int) [][]byte {
		*of, *to = slices.Concat(speakers, followers), other
		return [][]byte{[]byte("a record")}
	}
	m := failover.New(now, cfg, failover.Durable{Current: b}, false)
	m.Members(now, failover.Roster{
		Beat: 500 * time.Millisecond, Members: []protocols.Key{alice.Public(), bob.Public(), carol.Public()}, Admins: []protocols.Key{alice.Public()},
	})
	m.Ready()
	return m
}

// Whoever follows another branch, by whatever it says, is shown who is in the group with
// the record that it is to follow.
func TestWhoFollowsAnotherBranchIsShownWhoIsInTheGroup(t *testing.T) {
	t.Parallel()
	now, c := time.UnixMilli(1_790_000_000_000), chainOf(t)
	g, term := c.first.Group, c.second.Term()
	led, err := parse(c.promoted, c.second)
	if err != nil {
		t.Fatal(err)
	}
	older, err := parse(c.second, c.first)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		says func(*testing.T, *failover.Machine)
		to   *failover.Branch
	}{
		"a beat": {says: func(t *testing.T, m *failover.Machine) {
			m.OnBeat(now, carol.Public(), beat(t, carol, wire.Beat{Group: g, Term: term, Version: 2, Counter: 1, Time: wire.Millis(now.UnixMilli())}))
		}},
		"a question": {says: func(_ *testing.T, m *failover.Machine) {
			m.OnAlive(now, carol.Public(), &wire.Alive{N: 1, Group: g, Opened: term.Opened})
		}},
		"a report": {says: func(t *testing.T, m *failover.Machine) {
			r, err := wire.ParseReport(protocols.Main, wire.Report{Group: g, Opened: term.Opened, Time: wire.Millis(now.UnixMilli())}.Sign(carol))
			if err != nil {
				t.Fatal(err)
			}
			m.OnReport(now, carol.Public(), r)
		}},
		"an attach": {says: func(t *testing.T, m *failover.Machine) {
			m.OnAttach(now, carol.Public(), attach(t, now, carol, term))
		}},
		"a record": {says: func(_ *testing.T, m *failover.Machine) { m.OnBranch(now, protocols.Main, carol.Public(), older, nil) }, to: older},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var of []protocols.Key
			var to *failover.Branch
			m := leads(t, now, led, &of, &to)
			x.says(t, m)
			told := 0
			for _, s := range m.Ready().Send {
				f, ok := s.Frame.(*wire.HubRecordFrame)
				if !ok || s.To != carol.Public() {
					continue
				}
				told++
				if n := len(f.Evidence); n == 0 || f.Evidence[n-1].Tag != protocols.TagGroupRecord {
					t.Errorf("it is shown %d structures", n)
				}
			}
			if told != 1 || to != x.to || len(of) != 1 || of[0] != bob.Public() {
				t.Errorf("it is told %d times, of %v", told, of)
			}
		})
	}
}

// Shown are, in this order, the hub, the admin that named it, who reported the one
// before, and its followers, those who joined last first.
func TestThoseWhoSpeakForAHubAreShown(t *testing.T) {
	t.Parallel()
	now, c := time.UnixMilli(1_790_000_000_000), chainOf(t)
	report := wire.Evidence{
		Tag: protocols.TagGroupReport, Structure: wire.Report{Group: c.first.Group, Opened: c.first.Term().Opened, Time: wire.Millis(now.UnixMilli())}.Sign(signer(9)),
	}
	other := made(t, carol, func(h *wire.HubRecord) {
		h.Number, h.Version, h.Cause, h.Links, h.Shadow = 2, 2, wire.CauseChange, []wire.HubHash{c.second.Hash()}, alice.Public()
	})
	rival, err := parse(made(t, alice, func(h *wire.HubRecord) { // of a higher term: it decides
		h.Number, h.Cause, h.Links = 3, wire.CausePromotion, []wire.HubHash{other.Hash()}
	}), other)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		cause wire.Cause
		admin protocols.Key
		with  []wire.Evidence
		want  []protocols.Key
	}{
		"named by an admin": {wire.CauseAdmin, alice.Public(), nil, []protocols.Key{bob.Public(), alice.Public(), carol.Public(), alice.Public()}},
		"elected":           {wire.CauseElection, protocols.Key{}, []wire.Evidence{report}, []protocols.Key{bob.Public(), signer(9).Public(), carol.Public(), alice.Public()}},
	} {
		r := made(t, bob, func(h *wire.HubRecord) {
			h.Number, h.Cause, h.Links, h.Admin = 2, x.cause, []wire.HubHash{c.second.Hash()}, x.admin
		})
		led, err := parse(r, c.second)
		if err != nil {
			t.Fatal(err)
		}
		led.Evidence = x.with
		var of []protocols.Key
		var to *failover.Branch
		m := leads(t, now, led, &of, &to)
		for _, s := range []protocols.Signer{alice, carol} {
			m.OnAttach(now, s.Public(), attach(t, now, s, r.Term()))
		}
		m.OnMeet(now, protocols.Main, alice.Public(), rival, nil)
		if !slices.Equal(of, x.want) || len(led.Evidence) != len(x.with) {
			t.Errorf("%s: shown are %v, and not %v", name, of, x.want)
		}
	}
}

// What is said to two at once is to each what it was said: the reports that came with a
// branch are shared, and nothing else.
func TestWhatIsShownToOneIsNotShownToAnother(t *testing.T) {
	t.Parallel()
	now, c := time.UnixMilli(1_790_000_000_000), chainOf(t)
	led, err := parse(c.promoted, c.second)
	if err != nil {
		t.Fatal(err)
	}
	led.Evidence = append(make([]wire.Evidence, 0, 8), wire.Evidence{Tag: protocols.TagGroupReport, Structure: []byte("a report")})
	other := made(t, carol, func(h *wire.HubRecord) {
		h.Number, h.Version, h.Cause, h.Links, h.Shadow = 2, 2, wire.CauseChange, []wire.HubHash{c.second.Hash()}, alice.Public()
	})
	rival, err := parse(made(t, alice, func(h *wire.HubRecord) {
		h.Number, h.Cause, h.Links = 3, wire.CausePromotion, []wire.HubHash{other.Hash()}
	}), other)
	if err != nil {
		t.Fatal(err)
	}
	var of []protocols.Key
	var to *failover.Branch
	m := leads(t, now, led, &of, &to)
	m.OnAttach(now, carol.Public(), attach(t, now, carol, led.Term()))
	m.Ready()
	m.OnMeet(now, protocols.Main, alice.Public(), rival, nil)
	m.OnAlive(now, carol.Public(), &wire.Alive{N: 1, Group: c.first.Group, Opened: c.second.Term().Opened})
	shown := make(map[protocols.Key][]string)
	for _, s := range m.Ready().Send {
		var list []wire.Evidence
		switch f := s.Frame.(type) {
		case *wire.Meet:
			list = f.Evidence
		case *wire.HubRecordFrame:
			list = f.Evidence
		}
		for _, e := range list {
			shown[s.To] = append(shown[s.To], string(e.Tag))
		}
	}
	report, attached, record := string(protocols.TagGroupReport), string(protocols.TagGroupAttach), string(protocols.TagGroupRecord)
	for who, want := range map[protocols.Key][]string{alice.Public(): {report, attached, record}, carol.Public(): {report, record}} {
		if !slices.Equal(shown[who], want) {
			t.Errorf("one is shown %q, and not %q", shown[who], want)
		}
	}
}
