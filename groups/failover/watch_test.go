package failover_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// config is bob's, whose log is empty.
func config(t *testing.T) failover.Config {
	c := charter(t)
	return failover.Config{
		Group: c.Group(), Charter: c, Signer: bob,
		Log: func() (wire.Place, wire.LogHash) { return wire.Place{}, wire.LogHash{} }, Committed: func() wire.Seq { return 0 },
		Standing: func(time.Time, []protocols.Key, []protocols.Key, *failover.Branch, int) [][]byte { return nil },
	}
}

// follower is bob's machine, which follows the hub of a record; alice, bob and carol
// are members.
func follower(t *testing.T, now time.Time, r *wire.HubRecord, linked ...*wire.HubRecord) *failover.Machine {
	t.Helper()
	b, err := parse(r, linked...)
	if err != nil {
		t.Fatal(err)
	}
	m := failover.New(now, config(t), failover.Durable{Current: b}, false)
	m.Members(now, failover.Roster{Beat: 500 * time.Millisecond, Members: []protocols.Key{alice.Public(), bob.Public(), carol.Public()}})
	m.Ready()
	return m
}

// A hub whose beats tell of a record that it does not show is asked for it a few
// times a second, however fast it answers.
func TestANewerRecordIsAskedForWithoutHaste(t *testing.T) {
	t.Parallel()
	now, c := time.UnixMilli(1_790_000_000_000), chainOf(t)
	m := follower(t, now, c.first)
	asks := 0
	for i := range 100 {
		now = now.Add(10 * time.Millisecond)
		b := wire.Beat{Group: c.first.Group, Term: c.first.Term(), Version: 2, Counter: wire.Counter(i + 1), Time: wire.Millis(now.UnixMilli())}
		parsed, err := wire.ParseBeat(protocols.Main, b.Sign(alice))
		if err != nil {
			t.Fatal(err)
		}
		m.OnBeat(now, alice.Public(), parsed)
		for _, s := range m.Ready().Send {
			if _, ok := s.Frame.(*wire.Alive); ok {
				asks++
			}
		}
	}
	if asks < 2 || asks > 5 {
		t.Errorf("it is asked %d times in a second", asks)
	}
}

// A hub that is no member any more, and says so by following another, takes its
// members there: they may have nobody else who tells them.
func TestAHubThatWasKickedTakesItsMembersAlong(t *testing.T) {
	t.Parallel()
	now, c := time.UnixMilli(1_790_000_000_000), chainOf(t)
	m := follower(t, now, c.first)
	m.Members(now, failover.Roster{
		Beat: 500 * time.Millisecond, Members: []protocols.Key{bob.Public(), carol.Public()}, Kicked: []protocols.Key{alice.Public()},
	})
	b, err := parse(made(t, carol, func(h *wire.HubRecord) {
		h.Number, h.Cause, h.Links, h.Admin = 2, wire.CauseHanded, []wire.HubHash{c.first.Hash()}, alice.Public()
	}), c.first)
	if err != nil {
		t.Fatal(err)
	}
	m.OnBranch(now, protocols.Main, signer(9).Public(), b, nil)
	if m.Current().Primary() != alice.Public() {
		t.Fatal("a stranger takes it elsewhere")
	}
	m.OnBranch(now, protocols.Main, alice.Public(), b, nil)
	if m.Current().Primary() != carol.Public() {
		t.Error("it follows the hub that was kicked still")
	}
}

// A hub that was kicked follows another, but by what a member says of an older branch it
// only asks that branch's hub, which may follow this very hub since: else each would send
// the other's followers back.
func TestAHubThatWasKickedAsksBeforeItGoesBack(t *testing.T) {
	t.Parallel()
	now, c := time.UnixMilli(1_790_000_000_000), chainOf(t)
	kicked := func() *failover.Machine {
		m := follower(t, now, c.promoted, c.second)
		m.Members(now, failover.Roster{
			Beat: 500 * time.Millisecond, Members: []protocols.Key{alice.Public(), carol.Public()}, Admins: []protocols.Key{alice.Public()}, Kicked: []protocols.Key{bob.Public()},
		})
		return m
	}
	m := kicked()
	before, err := parse(c.second, c.first)
	if err != nil {
		t.Fatal(err)
	}
	m.OnBranch(now, protocols.Main, carol.Public(), before, nil)
	asked := false
	for _, s := range m.Ready().Send {
		_, beats := s.Frame.(*wire.BeatFrame)
		asked = asked || beats && s.To == alice.Public()
	}
	if !m.Leads() || !asked {
		t.Errorf("it goes back: %v, it asks the hub: %v", !m.Leads(), asked)
	}
	next, err := parse(made(t, carol, func(h *wire.HubRecord) {
		h.Number, h.Cause, h.Links, h.Admin = 1+c.promoted.Number, wire.CauseAdmin, []wire.HubHash{c.promoted.Hash()}, alice.Public()
	}), c.promoted)
	if err != nil {
		t.Fatal(err)
	}
	m.OnBranch(now, protocols.Main, alice.Public(), before, nil)
	if m.Current().Primary() != alice.Public() {
		t.Error("it does not follow one that leads")
	}
	m = kicked()
	m.OnBranch(now, protocols.Main, alice.Public(), next, nil)
	if m.Current().Primary() != carol.Public() {
		t.Error("it does not follow a newer branch, of which a member tells")
	}
}
