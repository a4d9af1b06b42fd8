package failover_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

func beat(t *testing.T, s protocols.Signer, b wire.Beat) *wire.Beat {
	t.Helper()
	parsed, err := wire.ParseBeat(protocols.Main, b.Sign(s))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// A hub sends its shadow more beats while it puts records in order, and a while
// longer; the other members hear as few as ever.
func TestTheShadowHearsMoreOfABusyHub(t *testing.T) {
	t.Parallel()
	now, c, seq := time.UnixMilli(1_790_000_000_000), chainOf(t), wire.Seq(0)
	led, err := parse(made(t, bob, func(h *wire.HubRecord) {
		h.Number, h.Cause, h.Links, h.Shadow = 2, wire.CausePromotion, []wire.HubHash{c.second.Hash()}, carol.Public()
	}), c.second)
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(t)
	cfg.Committed = func() wire.Seq { return seq }
	m := failover.New(now, cfg, failover.Durable{Current: led}, false)
	m.Members(now, failover.Roster{Beat: 500 * time.Millisecond, Members: []protocols.Key{alice.Public(), bob.Public(), carol.Public()}})
	hears := func(d time.Duration, busy bool) (shadow, other int) {
		for end := now.Add(d); now.Before(end); {
			now = now.Add(10 * time.Millisecond)
			if busy {
				seq++
			}
			if !m.Deadline().After(now) {
				m.Tick(now)
			}
			for _, s := range m.Ready().Send {
				f, ok := s.Frame.(*wire.BeatFrame)
				if !ok {
					continue
				}
				if s.To != carol.Public() {
					other++
					continue
				}
				shadow++
				b, err := wire.ParseBeat(protocols.Main, f.Beat)
				if err != nil {
					t.Fatal(err)
				}
				m.OnBeat(now, carol.Public(), beat(t, carol, wire.Beat{Group: b.Group, Term: b.Term, Version: b.Version, Counter: b.Counter, Time: b.Time}))
			}
		}
		return shadow, other
	}
	hears(5*time.Second, false)
	for _, x := range []struct {
		name        string
		long        time.Duration
		busy        bool
		least, most int
	}{
		{"in silence", 10 * time.Second, false, 19, 21},
		{"while records come", 10 * time.Second, true, 60, 68},
		{"just after", 2500 * time.Millisecond, false, 15, 18},
		{"later", time.Second, false, 1, 6},
		{"in silence again", 10 * time.Second, false, 19, 21},
	} {
		shadow, other := hears(x.long, x.busy)
		if most := int(x.long/(5*time.Second)) + 1; shadow < x.least || shadow > x.most || other > most || other < most-1 {
			t.Errorf("%s: %d beats to the shadow, want %d to %d; %d to another, want at most %d", x.name, shadow, x.least, x.most, other, most)
		}
	}
}

// A shadow that asks three times, and hears each time that only it does not hear the
// hub, lets itself be replaced; however many answer each time.
func TestAShadowThatAloneHearsNothingGoes(t *testing.T) {
	t.Parallel()
	for _, answers := range []int{1, 3} {
		now, c := time.UnixMilli(1_790_000_000_000), chainOf(t)
		m := follower(t, now, c.second, c.first)
		asked, goes, counter := 0, 0, wire.Counter(0)
		for range 200 {
			now = now.Add(20 * time.Millisecond)
			m.Tick(now)
			asks := false
			for _, s := range m.Ready().Send {
				switch f := s.Frame.(type) {
				case *wire.Alive:
					asks = asks || s.To == carol.Public() && f.N > 0
				case *wire.Replace:
					goes++
				}
			}
			if !asks {
				continue
			}
			if asked++; asked > 3 {
				break
			}
			for range answers {
				counter++
				m.OnAliveAnswer(now, beat(t, alice, wire.Beat{
					Group: c.first.Group, Term: c.second.Term(), Version: 2, Counter: counter, Time: wire.Millis(now.UnixMilli()),
				}))
			}
			for _, s := range m.Ready().Send {
				if _, ok := s.Frame.(*wire.Replace); ok {
					if goes++; asked != 3 {
						t.Errorf("of %d answers each: it goes after %d", answers, asked)
					}
				}
			}
		}
		if goes != 1 {
			t.Errorf("of %d answers each: it goes %d times, having asked %d times", answers, goes, asked)
		}
	}
}

// A hub is not replaced before its next beat was due for as long as a slow second,
// and what is lost and sent again, explain: which is sooner where it was busy till the
// end, and later for the candidate, so that the shadow is before it.
func TestAHubIsMissedByItsBeats(t *testing.T) {
	t.Parallel()
	c := chainOf(t)
	candidate := made(t, alice, func(h *wire.HubRecord) {
		h.Version, h.Cause, h.Links, h.Shadow, h.Candidate = 2, wire.CauseChange, []wire.HubHash{c.first.Hash()}, carol.Public(), bob.Public()
	})
	for _, x := range []struct {
		name   string
		record *wire.HubRecord
		every  time.Duration
		rests  time.Duration // how long nothing was written before it fell silent
		least  time.Duration
	}{
		{"the shadow", c.second, 500 * time.Millisecond, time.Minute, 2000 * time.Millisecond},
		{"the shadow, all writing", c.second, 150 * time.Millisecond, 0, 1300 * time.Millisecond},
		{"the shadow, all writing till a second before", c.second, 150 * time.Millisecond, time.Second, 1300 * time.Millisecond},
		{"the shadow, all writing till two seconds before", c.second, 150 * time.Millisecond, 2 * time.Second, 2000 * time.Millisecond},
		{"the candidate", candidate, 500 * time.Millisecond, time.Minute, 2750 * time.Millisecond},
		{"the candidate, all writing", candidate, 150 * time.Millisecond, 0, 2750 * time.Millisecond},
	} {
		now := time.UnixMilli(1_790_000_000_000)
		m, seq := follower(t, now, x.record, c.first), wire.Seq(1)
		const beats = 40
		for i := range beats {
			now = now.Add(x.every)
			m.Tick(now)
			if time.Duration(beats-1-i)*x.every >= x.rests {
				seq++
			}
			m.OnBeat(now, alice.Public(), beat(t, alice, wire.Beat{
				Group: c.first.Group, Term: x.record.Term(), Version: 2, Counter: wire.Counter(i + 1), Seq: seq, Time: wire.Millis(now.UnixMilli()),
			}))
		}
		silent := time.Duration(0)
		for ; !m.Leads() && silent < time.Minute; silent += 10 * time.Millisecond {
			m.Tick(now.Add(silent))
		}
		if silent < x.least || silent > x.least+50*time.Millisecond {
			t.Errorf("%s claims after %v; want %v", x.name, silent, x.least)
		}
	}
}
