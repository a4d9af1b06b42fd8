package relay

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/relay/choose"
	"github.com/tom-protocol/tom/relay/role"
)

func refusedFor(to *folk, why envelope.Reason) delivery.Outcome {
	return delivery.Outcome{To: to.key(), Code: envelope.Refused, Reason: why}
}

func wantRoutes(t *testing.T, of, to *folk, want ...[]*folk) {
	t.Helper()
	of.Neighbourhood()
	got := of.Routes(to.key(), 1000)
	ok := len(got) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = slices.EqualFunc(got[i], want[i], func(k protocols.Key, f *folk) bool { return k == f.key() })
	}
	if !ok {
		t.Errorf("routes %v", got)
	}
}

func TestRoutesFollowWhatIsLearnt(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b := w.relay('a'), w.settle('b')
		wantRoutes(t, a, b)

		r := w.settle('r')
		r.offers = true
		join(a, r)
		wantRoutes(t, a, b, []*folk{r})

		// It does not know bob: until the bar has gone it is not asked.
		a.Outcome(r.key(), refusedFor(b, envelope.ReasonNoRoute))
		wantRoutes(t, a, b)
		w.pass(barLife)
		wantRoutes(t, a, b, []*folk{r})

		// Bob's addresses name a relay that only ours can reach.
		s := w.settle('s')
		b.circuit = []protocols.Key{s.key()}
		wantRoutes(t, a, b, []*folk{r}, []*folk{r, s})
		for range choose.MaxRoutes - 2 {
			a.Outcome(r.key(), refusedFor(b, envelope.ReasonNoRoute))
			wantRoutes(t, a, b, []*folk{r, s})
		}
		a.Outcome(r.key(), refusedFor(b, envelope.ReasonNoRoute))
		wantRoutes(t, a, b)

		// Something of bob's comes by our relay: that is the way back, and lifts the bar.
		a.Came(b.key(), r.key())
		wantRoutes(t, a, b, []*folk{r}, []*folk{r, s})

		// A relay that carries nothing of ours is not asked for anybody.
		a.Outcome(r.key(), refusedFor(w.settle('c'), envelope.ReasonPolicy))
		wantRoutes(t, a, b)
	})
}

func TestFriendsAreAskedThoughTheyOfferNothing(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, c, d := w.relay('a'), w.settle('b'), w.settle('c'), w.settle('d')
		join(a, c)
		join(a, d)
		a.friends[c.key()] = true
		wantRoutes(t, a, b, []*folk{c})
	})
}

func TestRelayThatFailsIsDroppedAndComesBack(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, r, s := w.relay('a'), w.settle('b'), w.settle('r'), w.settle('s')
		for _, f := range []*folk{r, s} {
			f.offers = true
			join(a, f)
		}
		a.Outcome(r.key(), delivery.Outcome{To: b.key(), Code: envelope.Taken, Took: 50 * time.Millisecond})
		wantRoutes(t, a, b, []*folk{r}, []*folk{s})
		a.Outcome(r.key(), delivery.Outcome{To: b.key(), Took: time.Second})
		wantRoutes(t, a, b, []*folk{s})
		if why := a.Why(r.key()); why.Silent < 0.99 || why.Weight >= 1 {
			t.Errorf("%+v", why)
		}
		w.pass(6 * time.Second)
		wantRoutes(t, a, b, []*folk{s}, []*folk{r})
	})
}

// A relay that says "taken" and drops what it took is one to avoid, as one that
// says nothing.
func TestRelayThatTakesAndDropsIsDropped(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, r, s := w.relay('a'), w.settle('b'), w.settle('r'), w.settle('s')
		for _, f := range []*folk{r, s} {
			f.offers = true
			join(a, f)
			a.Outcome(f.key(), delivery.Outcome{To: b.key(), Code: envelope.Taken, Took: 50 * time.Millisecond})
		}
		a.Outcome(r.key(), delivery.Outcome{To: b.key(), Lost: true})
		a.Outcome(s.key(), delivery.Outcome{To: b.key(), Receipt: true})
		wantRoutes(t, a, b, []*folk{s})
		if liar, honest := a.Why(r.key()), a.Why(s.key()); liar.Weight >= 1 || liar.Lost < 0.99 || honest.Weight <= 1 || honest.Proved < 0.99 {
			t.Errorf("%+v\n%+v", liar, honest)
		}
	})
}

func TestRelaysAreListedWithTheReasons(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, r, c, old, gone := w.relay('a'), w.settle('r'), w.settle('c'), w.settle('o'), w.settle('g')
		r.offers = true
		for _, f := range []*folk{r, c, old} {
			join(a, f)
		}
		a.friends[c.key()] = true
		a.Outcome(gone.key(), delivery.Outcome{Code: envelope.Taken, Took: time.Second})
		var names []protocols.Key
		for _, l := range a.Relays() {
			names = append(names, l.Peer)
			if len(l.Reasons) < 3 {
				t.Errorf("reasons %v", l.Reasons)
			}
		}
		if !slices.Equal(names, []protocols.Key{c.key(), r.key(), gone.key()}) {
			t.Errorf("listed %v", names)
		}
		if ranked := a.Rank([]choose.Candidate{{Peer: gone.key()}, {Peer: r.key()}}); ranked[0].Peer != r.key() {
			t.Errorf("a relay that took a second comes first: %+v", ranked)
		}
	})
}

func TestWhatWasMeasuredSurvivesARestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "relays.json")
	peer := protocols.Key{7}
	run := func(t *testing.T, f func(s *Service)) {
		synctest.Test(t, func(t *testing.T) {
			w := &town{t: t, folks: make(map[protocols.Key]*folk)}
			f(w.relay('r', func(c *Config) { c.File = file }).Service)
			synctest.Wait()
		})
	}
	run(t, func(s *Service) {
		for range 4 {
			s.Outcome(peer, delivery.Outcome{Code: envelope.Taken, Took: 80 * time.Millisecond})
		}
	})
	run(t, func(s *Service) {
		if why := s.Why(peer); !why.Known || why.Success < 3.9 || why.Latency != 80*time.Millisecond {
			t.Errorf("%+v", why)
		}
	})
	if err := os.WriteFile(file, []byte(`[{"peer":"AA`), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, func(s *Service) {
		if s.Why(peer).Known {
			t.Error("known from a damaged file")
		}
	})
}

func TestRoleIsToldWhenItChanges(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		public, told := true, make(chan int, 8)
		r := w.relay('r', func(c *Config) {
			c.Mode, c.Public = role.Auto, func() bool { return public }
			c.RolesChanged = func(roles []uint8) { told <- len(roles) }
		})
		w.pass(9 * time.Second)
		if len(told) != 0 || len(r.Roles()) != 0 {
			t.Error("it relays at once")
		}
		w.pass(2 * time.Second)
		if n := <-told; n != 1 || len(r.Roles()) != 1 {
			t.Errorf("%d roles", n)
		}
		public = false
		r.Review()
		w.pass(59 * time.Second)
		if len(told) != 0 {
			t.Error("it ends at once")
		}
		w.pass(2 * time.Second)
		if n := <-told; n != 0 {
			t.Errorf("%d roles", n)
		}
	})
}
