package failover_test

import (
	"maps"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// left is bob, who follows carol since alice named her hub instead of alice, and the
// record by which she did.
func left(t *testing.T, now time.Time) (*failover.Machine, *wire.HubRecord) {
	t.Helper()
	c := chainOf(t)
	m := follower(t, now, c.first)
	m.Members(now, failover.Roster{
		Beat: 500 * time.Millisecond, Members: []protocols.Key{alice.Public(), bob.Public(), carol.Public()}, Admins: []protocols.Key{alice.Public()},
	})
	moved := made(t, carol, func(h *wire.HubRecord) {
		h.Number, h.Cause, h.Links, h.Admin = 2, wire.CauseAdmin, []wire.HubHash{c.first.Hash()}, alice.Public()
	})
	show(t, now, m, carol, moved, c.first)
	if m.Current().Primary() != carol.Public() {
		t.Fatal("bob does not follow whom the admin named")
	}
	return m, moved
}

// show shows bob a record of a hub.
func show(t *testing.T, now time.Time, m *failover.Machine, from protocols.Signer, r *wire.HubRecord, linked ...*wire.HubRecord) {
	t.Helper()
	b, err := parse(r, linked...)
	if err != nil {
		t.Fatal(err)
	}
	m.OnBranch(now, protocols.Main, from.Public(), b, nil)
}

// claimed is a claim of alice's that continues a record, with bob's report.
func claimed(t *testing.T, now time.Time, link *wire.HubRecord) *failover.Branch {
	t.Helper()
	b, err := parse(made(t, alice, func(h *wire.HubRecord) {
		h.Number, h.Cause, h.Links = link.Number+1, wire.CauseElection, []wire.HubHash{link.Hash()}
	}), link)
	if err != nil {
		t.Fatal(err)
	}
	r := wire.Report{Group: link.Group, Opened: link.Term().Opened, Time: wire.Millis(now.UnixMilli())}
	b.Evidence = []wire.Evidence{{Tag: protocols.TagGroupReport, Structure: r.Sign(bob)}}
	return b
}

// pass lets bob's time go by until he follows another, at most for a while, and
// returns how long that took.
func pass(m *failover.Machine, now time.Time, most time.Duration) time.Duration {
	of := m.Current().Primary()
	for at := now; at.Before(now.Add(most)); at = at.Add(50 * time.Millisecond) {
		m.Tick(at)
		if m.Current().Primary() != of {
			return at.Sub(now)
		}
	}
	return most
}

// Whom an admin took the group away from claims it back: that is told, and it is
// followed when all others had their time to claim.
func TestWhoeverWasDisplacedIsFollowedLast(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_790_000_000_000)
	m, moved := left(t, now)
	displaced := 0
	for _, e := range m.Ready().Events {
		if e.Kind == failover.Displaced && e.Peer == alice.Public() {
			displaced++
		}
	}
	if displaced != 1 {
		t.Fatalf("it is told %d times", displaced)
	}
	now = now.Add(time.Minute)
	m.Tick(now)
	m.OnBranch(now, protocols.Main, alice.Public(), claimed(t, now, moved), nil)
	told := false
	for _, e := range m.Ready().Events {
		told = told || e.Kind == failover.Disbelieved && e.Peer == alice.Public()
	}
	if took := pass(m, now, time.Hour); !told || took < 15*time.Second || took > 30*time.Second {
		t.Errorf("it is told of: %v; and followed after %v", told, took)
	}
}

// A day is a day, whatever restarts meanwhile, and no more.
func TestADisplacedHubIsOneForADay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		after time.Duration
		last  bool
	}{{23 * time.Hour, true}, {25 * time.Hour, false}} {
		now := time.UnixMilli(1_790_000_000_000)
		m, moved := left(t, now)
		ready := m.Ready()
		if !ready.Save {
			t.Fatal("it is not on disk")
		}
		d := m.Durable()
		d.Displaced = maps.Clone(d.Displaced)
		now = now.Add(c.after)
		m = failover.New(now, config(t), d, true)
		m.Members(now, failover.Roster{
			Beat: 500 * time.Millisecond, Members: []protocols.Key{alice.Public(), bob.Public(), carol.Public()}, Admins: []protocols.Key{alice.Public()},
		})
		m.OnBranch(now, protocols.Main, alice.Public(), claimed(t, now, moved), nil)
		if took := pass(m, now, time.Hour); took > 15*time.Second != c.last {
			t.Errorf("after %v it is followed within %v", c.after, took)
		}
	}
}

// Nobody is left: carol was displaced too. Then the first may be hub as any other.
func TestWhereAllAreDisplacedNobodyIs(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_790_000_000_000)
	m, moved := left(t, now)
	d := m.Durable()
	d.Displaced[bob.Public()] = now.Add(time.Hour)
	m.OnBranch(now, protocols.Main, alice.Public(), claimed(t, now, moved), nil)
	if took := pass(m, now, time.Hour); took > 10*time.Second {
		t.Errorf("it is followed after %v", took)
	}
}

// The admin names it again: it is as good as any.
func TestAnAdminNamesADisplacedHubAgain(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_790_000_000_000)
	m, moved := left(t, now)
	back := made(t, alice, func(h *wire.HubRecord) {
		h.Number, h.Cause, h.Links, h.Admin = 3, wire.CauseAdmin, []wire.HubHash{moved.Hash()}, alice.Public()
	})
	show(t, now, m, alice, back, moved)
	if m.Current().Primary() != alice.Public() {
		t.Fatal("bob does not follow whom the admin named")
	}
	d := m.Durable()
	if _, yes := d.Displaced[alice.Public()]; yes || d.Displaced[carol.Public()].IsZero() {
		t.Errorf("displaced are %v", d.Displaced)
	}
}

// Who was kicked and came back is displaced; who is no member is forgotten.
func TestWhoWasKickedAndCameBackIsDisplaced(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_790_000_000_000)
	m, _ := left(t, now)
	both, alone := []protocols.Key{bob.Public(), carol.Public()}, []protocols.Key{bob.Public()}
	for i, c := range []struct {
		members, kicked []protocols.Key
		displaced       bool
	}{
		{both, nil, false},
		{alone, []protocols.Key{carol.Public()}, false},
		{both, nil, true},
		{both, nil, true},
		{alone, nil, false},
		{both, nil, false},
	} {
		m.Members(now, failover.Roster{Beat: 500 * time.Millisecond, Members: c.members, Kicked: c.kicked})
		if d := m.Durable().Displaced; !d[carol.Public()].IsZero() != c.displaced || !d[alice.Public()].IsZero() {
			t.Errorf("in step %d displaced are %v", i, d)
		}
	}
}
