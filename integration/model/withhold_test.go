package model_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/model"
)

// led is a world of five in which the second leads, named by the creator.
func led(seed uint64) *model.World {
	w := model.New(model.Options{Nodes: 5, Seed: seed, Bytes: true})
	w.Run(3 * time.Second)
	w.Move(w.Nodes[0], w.Nodes[1])
	w.Run(3 * time.Second)
	return w
}

// A hub takes nothing of one author. It is named, an admin's node takes the group
// away from it by itself, and what was withheld is accepted.
func TestAHubThatWithholdsIsNamedAndLeft(t *testing.T) {
	t.Parallel()
	first, count := seeds(6, 100)
	for seed := first; seed < first+count; seed++ {
		w := led(seed)
		hub, author := w.Nodes[1], w.Nodes[2+int(seed)%3]
		w.Withhold(hub, model.By(author.Key, 0))
		r, _ := w.Write(author)
		w.WriteEvery(2 * time.Second)
		w.Run(40 * time.Second)
		w.WriteEvery(0)
		w.Run(3 * time.Second)
		if _, ok := w.Accepted[r]; !ok || w.Blamed == 0 {
			t.Errorf("seed %d: accepted %v, named %d times", seed, ok, w.Blamed)
		}
		for _, n := range w.Nodes {
			if n != hub && n.Seat.Branch().Primary() == hub.Key {
				t.Errorf("seed %d: it is followed still", seed)
			}
		}
		holds(t, w)
	}
}

// The frame by which the shadow is named is lost. It is named again.
func TestAHubThatWithholdsIsLeftThoughTheShadowHearsLate(t *testing.T) {
	t.Parallel()
	w := led(1)
	hub, shadow := w.Nodes[1], w.Chain()[1]
	author := w.Nodes[2]
	if author == shadow {
		author = w.Nodes[3]
	}
	if w.Chain()[0] != hub || shadow == w.Nodes[0] {
		t.Fatal("not what this is about")
	}
	w.Cut(0, shadow.ID)
	w.Cut(shadow.ID, 0)
	w.Withhold(hub, model.By(author.Key, 0))
	r, _ := w.Write(author)
	w.Run(25 * time.Second)
	if w.Blamed == 0 || w.Nodes[0].Seat.Branch().Primary() != hub.Key {
		t.Fatal("not what this is about")
	}
	w.Heal()
	w.Run(10 * time.Second)
	if _, ok := w.Accepted[r]; !ok {
		t.Error("what was withheld is not accepted")
	}
	w.Agree(30 * time.Second)
	holds(t, w)
}

// A hub withholds the kick against itself from everybody. The admin that kicks it
// takes the group away from it at once.
func TestAHubCannotWithholdItsOwnKick(t *testing.T) {
	t.Parallel()
	first, count := seeds(6, 100)
	for seed := first; seed < first+count; seed++ {
		w := led(seed)
		hub := w.Nodes[1]
		w.Withhold(hub, model.By(w.Nodes[0].Key, wire.KindKick))
		kick := w.Kick(w.Nodes[0], hub)
		start := w.Now
		if !w.Until(20*time.Second, func() bool { _, ok := w.Accepted[kick]; return ok }) {
			t.Errorf("seed %d: the kick is not accepted", seed)
		}
		if d := w.Now.Sub(start); d > 2*time.Second {
			t.Errorf("seed %d: it took %v", seed, d)
		}
		w.Run(10 * time.Second)
		for _, n := range w.Nodes {
			if n != hub && n.Seat.Ledger().Fold().Member(hub.Key) {
				t.Errorf("seed %d: it is a member still", seed)
			}
		}
		w.Agree(30 * time.Second)
		holds(t, w)
	}
}

// If the shadow is in league with it, or dead, the admin leads itself.
func TestTheAdminLeadsIfTheShadowDoesNot(t *testing.T) {
	t.Parallel()
	w := led(1)
	hub, shadow := w.Chain()[0], w.Chain()[1]
	if hub != w.Nodes[1] || shadow == w.Nodes[0] {
		t.Fatal("not what this is about")
	}
	w.Cut(0, shadow.ID)
	w.Cut(shadow.ID, 0)
	kick := w.Kick(w.Nodes[0], hub)
	w.Run(15 * time.Second)
	w.Heal()
	w.Run(15 * time.Second)
	if _, ok := w.Accepted[kick]; !ok {
		t.Error("the kick is not accepted")
	}
	w.Agree(30 * time.Second)
	holds(t, w)
}
