package model_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

// One was apart while another joined, or was listed as a relay, that is hub now: all
// follow it, whether who was apart led itself meanwhile, and whether anybody else is
// left that it knows.
func TestWhoWasApartFollowsAHubThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	first, count := seeds(5, 100)
	for name, c := range map[string]struct{ relay, leads, alone, admin bool }{
		"it joined":                {},
		"it joined, others gone":   {alone: true},
		"it joined, another leads": {leads: true},
		"a relay":                  {relay: true},
		"a relay, another leads":   {relay: true, leads: true},
		"by one made admin since":  {relay: true, leads: true, admin: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := first; seed < first+count; seed++ {
				w := model.New(model.Options{Nodes: 4, Seed: seed, Late: 20})
				w.Run(3 * time.Second)
				admin, apart := w.Nodes[0], w.Nodes[3]
				if c.leads {
					w.Move(admin, apart)
				}
				w.Run(5 * time.Second)
				w.Split(func(i int) bool { return i == apart.ID })
				w.Run(10 * time.Second)
				if c.admin {
					w.Promote(admin, w.Nodes[1])
					admin = w.Nodes[1]
					w.Run(5 * time.Second)
				}
				var hub *model.Node
				if c.relay {
					hub = w.Relay()
					w.List(admin, hub)
				} else {
					hub = w.JoinAt(w.Nodes[1])
				}
				w.Run(10 * time.Second)
				w.Move(admin, hub)
				w.Run(5 * time.Second)
				if !hub.Seat.Leads() {
					t.Fatalf("seed %d: it is not hub:\n%s", seed, strings.Join(w.Trace, "\n"))
				}
				w.WriteAll()
				if c.alone {
					for _, n := range w.Nodes[:3] {
						w.Crash(n, false)
					}
				}
				w.Heal()
				w.Agree(time.Minute)
				holds(t, w)
			}
		})
	}
}

// It was away for days, and whoever has joined meanwhile, and leads, did so longer ago
// than a record is shown.
func TestWhoWasAwayForDaysFollowsAHubThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	w := model.New(model.Options{Nodes: 4, Seed: 1, Beat: 20 * time.Second})
	w.Run(time.Hour)
	founder, away := w.Nodes[0], w.Nodes[3]
	w.Crash(away, false)
	w.Run(time.Hour)
	hub := w.JoinAt(founder)
	for range 60 {
		w.Run(time.Hour)
		w.WriteAll()
	}
	w.Move(founder, hub)
	w.Run(10 * time.Minute)
	if !hub.Seat.Leads() {
		t.Fatal("it is not hub")
	}
	w.Restart(away)
	w.Agree(2 * time.Hour)
	holds(t, w)
}

// The network was apart, and on one side so many joined that they are more than those of
// the other, who had not heard of them: they count.
func TestBranchesMeetThoughOneHasNotHeardWhoJoinedTheOther(t *testing.T) {
	t.Parallel()
	first, count := seeds(10, 100)
	for seed := first; seed < first+count; seed++ {
		w := model.New(model.Options{Nodes: 3, Seed: seed, Late: 20})
		w.Run(3 * time.Second)
		w.Split(func(i int) bool { return i == 0 })
		w.Run(8 * time.Second)
		for range 3 {
			w.JoinAt(w.Nodes[0])
		}
		w.Run(10 * time.Second)
		w.WriteAll()
		w.Heal()
		w.Agree(time.Minute)
		holds(t, w)
		if hub := w.Chain()[0]; hub != w.Nodes[0] {
			t.Errorf("seed %d: fewer follow the hub that stands", seed)
		}
	}
}

// A relay took the group for its own while nobody reached it, and was listed no more
// meanwhile: it hears of that, though nobody follows it, and though it may not know
// who is hub.
func TestARelayThatLeadsNobodyHearsThatItIsListedNoMore(t *testing.T) {
	t.Parallel()
	for name, joined := range map[string]bool{"by a hub that it knows": false, "by one that joined since": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := model.New(model.Options{Nodes: 3, Relay: true, Seed: 1, Late: 20})
			w.Run(10 * time.Second)
			relay := w.Nodes[3]
			w.Split(func(i int) bool { return i == relay.ID })
			w.Run(5 * time.Second)
			if !relay.Seat.Leads() {
				t.Fatal("it does not lead")
			}
			w.List(w.Nodes[0])
			w.Run(5 * time.Second)
			if joined {
				takesOver(t, w, w.JoinAt(w.Nodes[0]))
			}
			w.Heal()
			w.Agree(time.Minute)
			holds(t, w)
			if w.Serves(relay) {
				t.Error("it serves still")
			}
		})
	}
}

// takesOver lets a node be shadow, for want of another, and the hub die.
func takesOver(t *testing.T, w *model.World, n *model.Node) {
	t.Helper()
	w.Run(5 * time.Second)
	hub := w.Chain()[0]
	for _, o := range w.Nodes {
		if o != hub && o != n && !w.Serves(o) {
			w.Crash(o, false)
		}
	}
	w.Run(5 * time.Second)
	for _, o := range w.Nodes {
		w.Restart(o)
	}
	w.Run(time.Second)
	w.Crash(hub, false)
	w.Run(5 * time.Second)
	if !n.Seat.Leads() {
		t.Fatal("it does not take over")
	}
	w.Restart(hub)
}

// One was let in, and its hub was gone before it had shown it the log, which is the
// creator, the only member that it knows: it follows the next.
func TestWhoHasSeenNoLogFollowsAHubThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	first, count := seeds(5, 100)
	for seed := first; seed < first+count; seed++ {
		w := model.New(model.Options{Nodes: 5, Seed: seed, Late: 20})
		w.Run(3 * time.Second)
		hub := w.Nodes[0]
		for _, to := range []*model.Node{w.Nodes[1], hub} { // its term begins where others have joined
			w.Move(hub, to)
			w.Run(3 * time.Second)
		}
		newcomer := w.JoinAt(hub)
		accepted := len(w.Accepted)
		if !w.Until(5*time.Second, func() bool { return len(w.Accepted) > accepted }) {
			t.Fatalf("seed %d: it is not let in", seed)
		}
		w.Crash(hub, true)
		w.Agree(time.Minute)
		holds(t, w)
		if !newcomer.Seat.Ledger().Fold().Member(newcomer.Key) {
			t.Errorf("seed %d: it is no member", seed)
		}
	}
}
