package discovery

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// crowdOf are n neighbours that speak gossip.
func crowdOf(c *circle, n int) {
	for i := range n {
		c.meet(peer.ID(fmt.Sprint("neighbour", i)))
	}
}

// widened is how many are chosen at a time.
func widened(c *circle, now time.Time) (n int) {
	for {
		if _, ok := c.choose(now); !ok {
			return n
		}
		n++
	}
}

func TestCircleGrowsSlowlyBeyondItsFirst(t *testing.T) {
	t.Parallel()
	c, now := newCircle(nil), time.Unix(1e9, 0)
	if widened(c, now) != 0 || !c.due(now).IsZero() {
		t.Error("chose nobody's neighbour")
	}
	crowdOf(c, 100)
	for i, want := range []int{circleChosen, 1, 1, 1, 0, 0} {
		if n := widened(c, now); n != want {
			t.Errorf("round %d: %d chosen, want %d", i, n, want)
		}
		if due := c.due(now); want > 0 && i < 3 && due != now.Add(circlePace) || want == 0 && !due.IsZero() {
			t.Errorf("round %d: next at %v", i, due.Sub(now))
		}
		now = now.Add(circlePace)
	}
}

func TestCircleIsBoundedAndCannotBeShut(t *testing.T) {
	t.Parallel()
	c, now := newCircle(nil), time.Unix(1e9, 0)
	crowdOf(c, 3)
	let := 0
	for i := range 100 {
		if c.admit(peer.ID(fmt.Sprint("intruder", i))) {
			let++
		}
	}
	if let != circleMost-circleChosen {
		t.Errorf("%d came in", let)
	}
	if n := widened(c, now); n != circleChosen {
		t.Errorf("chose %d beside those who came", n)
	}
	if all, _ := c.size(); all != circleMost {
		t.Errorf("%d in all", all)
	}
	if !c.admit("intruder0") {
		t.Error("refused one who is in")
	}
	if c.part("intruder0"); !c.admit("intruder99") {
		t.Error("kept the place of one who left")
	}
}

func TestCircleHasRoomForKin(t *testing.T) {
	t.Parallel()
	c, now := newCircle(func(p peer.ID) bool { return strings.HasPrefix(string(p), "kin") }), time.Unix(1e9, 0)
	for i := range 100 {
		c.admit(peer.ID(fmt.Sprint("guest", i)))
	}
	for i := range 20 {
		c.meet(peer.ID(fmt.Sprint("kin", i)))
	}
	if n := widened(c, now); n != circleEnough {
		t.Errorf("chose %d of its kin", n)
	}
	for i := range 100 {
		c.admit(peer.ID(fmt.Sprint("kin", i)))
	}
	if all, _ := c.size(); all != circleMost+circleKin {
		t.Errorf("%d in all", all)
	}
}

func TestCircleLeavesAloneWhoeverCloses(t *testing.T) {
	t.Parallel()
	c, now := newCircle(nil), time.Unix(1e9, 0)
	c.meet("bob")
	widened(c, now)
	c.ended("bob", now)
	if !c.has("bob") {
		t.Error("one end was too much")
	}
	now = now.Add(time.Second)
	if c.ended("bob", now); c.has("bob") || widened(c, now) != 0 {
		t.Error("asked again and again")
	}
	if due := c.due(now); due != now.Add(circleRest) {
		t.Errorf("asked again after %v", due.Sub(now))
	}
	now = now.Add(circleRest)
	if widened(c, now) != 1 {
		t.Error("never asked again")
	}
	if c.ended("bob", now.Add(circleRest)); !c.has("bob") {
		t.Error("what is long ago counts")
	}
	c.meet("carol")
	widened(c, now)
	if c.failed("carol", now); c.has("carol") {
		t.Error("no stream, and still in the circle")
	}
	c.ended("nobody", now)
	c.part("nobody")
}
