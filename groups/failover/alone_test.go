package failover_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// lone is bob's machine, who is the only member of a group whose hub is alice.
func lone(t *testing.T, now time.Time, r failover.Roster) *failover.Machine {
	t.Helper()
	m := follower(t, now, chainOf(t).first)
	r.Beat, r.Members, r.Admins = 500*time.Millisecond, []protocols.Key{bob.Public()}, []protocols.Key{bob.Public()}
	m.Members(now, r)
	m.Ready()
	return m
}

// The only member goes on without the hub that was taken out. One that joined in another
// branch, and does not know that the others are gone, believes it.
func TestWhoIsAloneNamesItself(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_790_000_000_000)
	m := lone(t, now, failover.Roster{Kicked: []protocols.Key{alice.Public()}})
	for end := now.Add(5 * time.Second); now.Before(end); now = now.Add(20 * time.Millisecond) {
		m.Tick(now)
	}
	if !m.Open() {
		t.Fatalf("it accepts nothing: %s", m.Why())
	}
	cfg := config(t)
	cfg.Signer = carol
	first, err := parse(chainOf(t).first)
	if err != nil {
		t.Fatal(err)
	}
	other := failover.New(now, cfg, failover.Durable{Current: first}, false)
	other.Members(now, failover.Roster{
		Beat: 500 * time.Millisecond, Members: []protocols.Key{alice.Public(), bob.Public(), carol.Public()}, Admins: []protocols.Key{bob.Public()},
	})
	f := m.Current().Frame()
	b, err := failover.ParseBranch(protocols.Main, &f)
	if err != nil {
		t.Fatal(err)
	}
	other.OnBranch(now, protocols.Main, bob.Public(), b, nil)
	if other.Current().Primary() != bob.Public() {
		t.Error("it is not believed")
	}
}

// The only member stays with a hub that is no member as long as that answers, however
// seldom it beats by itself.
func TestWhoIsAloneAsksBeforeItNamesItself(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_790_000_000_000)
	m := lone(t, now, failover.Roster{Relays: []protocols.Key{alice.Public()}})
	asks, answer := 0, time.Time{}
	for end := now.Add(time.Minute); now.Before(end); now = now.Add(20 * time.Millisecond) {
		if !answer.IsZero() && !now.Before(answer) {
			m.OnBeat(now, alice.Public(), beat(t, alice, wire.Beat{
				Group: m.Current().Record.Group, Term: m.Current().Term(), Version: 1, Counter: wire.Counter(asks), Time: wire.Millis(now.UnixMilli()),
			}))
			answer = time.Time{}
		}
		m.Tick(now)
		for _, s := range m.Ready().Send {
			if _, ok := s.Frame.(*wire.Alive); !ok {
				continue
			}
			if asks++; answer.IsZero() {
				answer = now.Add(700 * time.Millisecond) // its path is slow
			}
		}
	}
	if m.Leads() || asks == 0 {
		t.Errorf("asked %d times, it leads: %v", asks, m.Leads())
	}
}
