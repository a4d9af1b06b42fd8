package failover_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// A record of one who is no admin in this node's log, and that begins far beyond it,
// is a claim like others: it moves nobody whose hub is there, ranks behind the
// shadow's, and displaces nobody. One that begins in the log is none at all.
func TestWhoIsNoAdminYetClaims(t *testing.T) {
	t.Parallel()
	dave := signer(9)
	const isThere, isSilent, isSilentAndReplaced = "there", "silent", "silent and replaced"
	for name, c := range map[string]struct {
		begins wire.Seq
		hub    string
		want   protocols.Key
	}{
		"its hub is there":            {1 << 40, isThere, alice.Public()},
		"its hub is silent":           {1 << 40, isSilent, carol.Public()},
		"its shadow claims":           {1 << 40, isSilentAndReplaced, dave.Public()},
		"the log shows that it lies":  {0, isThere, alice.Public()},
		"and its hub is silent":       {0, isSilent, bob.Public()}, // who claims
		"and its shadow claims first": {0, isSilentAndReplaced, dave.Public()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.UnixMilli(1_790_000_000_000)
			first := made(t, alice, func(h *wire.HubRecord) {
				h.Version, h.Cause, h.Links = 2, wire.CauseChange, []wire.HubHash{chainOf(t).first.Hash()}
				h.Shadow, h.Candidate = dave.Public(), bob.Public()
			})
			m := follower(t, now, first, chainOf(t).first)
			m.Members(now, failover.Roster{
				Beat: 500 * time.Millisecond, Members: []protocols.Key{alice.Public(), bob.Public(), carol.Public(), dave.Public()},
				Admins: []protocols.Key{bob.Public()},
			})
			show(t, now, m, carol, made(t, carol, func(h *wire.HubRecord) {
				h.Number, h.Cause, h.Links, h.Admin, h.Seq = 2, wire.CauseAdmin, []wire.HubHash{first.Hash()}, alice.Public(), c.begins
			}), first)
			if c.hub == isSilentAndReplaced {
				show(t, now, m, dave, made(t, dave, func(h *wire.HubRecord) {
					h.Number, h.Cause, h.Links = 2, wire.CausePromotion, []wire.HubHash{first.Hash()}
				}), first)
			}
			for i := range 100 {
				now = now.Add(100 * time.Millisecond)
				if c.hub == isThere {
					m.OnBeat(now, alice.Public(), beat(t, alice, wire.Beat{
						Group: first.Group, Term: first.Term(), Version: 2, Counter: wire.Counter(i + 1), Time: wire.Millis(now.UnixMilli()),
					}))
				}
				m.Tick(now)
				if m.Current().Primary() != alice.Public() {
					break
				}
			}
			if got := m.Current().Primary(); got != c.want {
				t.Errorf("it follows %v, and not %v", got, c.want)
			}
			for _, e := range m.Ready().Events {
				if e.Kind == failover.Displaced {
					t.Errorf("%v is displaced", e.Peer)
				}
			}
		})
	}
}

// A hub yields to nobody who says to have been named by one that is no admin here: by
// followers it is decided.
func TestAHubDoesNotYieldToWhoIsNoAdminYet(t *testing.T) {
	t.Parallel()
	now, c := time.UnixMilli(1_790_000_000_000), chainOf(t)
	for name, admins := range map[string][]protocols.Key{"no admin": {bob.Public()}, "an admin": {alice.Public()}} {
		m := follower(t, now, c.promoted, c.second) // bob leads
		m.Members(now, failover.Roster{
			Beat: 500 * time.Millisecond, Members: []protocols.Key{alice.Public(), bob.Public(), carol.Public()}, Admins: admins,
		})
		b, err := parse(made(t, carol, func(h *wire.HubRecord) {
			h.Number, h.Cause, h.Links, h.Admin, h.Seq = 1+c.first.Number, wire.CauseAdmin, []wire.HubHash{c.first.Hash()}, alice.Public(), 1<<40
		}), c.first)
		if err != nil {
			t.Fatal(err)
		}
		m.OnMeet(now, protocols.Main, carol.Public(), b, nil)
		merged := m.Leads() && m.Current().Opened.Cause == wire.CauseMerge
		for _, s := range m.Ready().Send {
			if _, yields := s.Frame.(*wire.Yield); yields {
				t.Errorf("%s: the hub yields", name)
			}
		}
		if (name == "no admin") != merged {
			t.Errorf("%s: merged here: %v", name, merged)
		}
	}
}
