package discovery

import (
	"fmt"
	"strings"
	"testing"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/protocols"
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

// presences are n hosts that follow the topic.
func (s *sim) presences(n int, role func(i int) []uint8) (all []*presenceNode) {
	for i := range n {
		all = append(all, s.presenceNode(i, role(i)...))
	}
	return all
}

// gossipStreams is how many streams of gossip two hosts keep, each way.
func gossipStreams(h host.Host, p peer.ID) (n int) {
	for _, c := range h.Network().ConnsToPeer(p) {
		for _, s := range c.GetStreams() {
			if strings.HasPrefix(string(s.Protocol()), "/meshsub/") {
				n++
			}
		}
	}
	return n
}

// circleOf is with how many neighbours a host gossips.
func circleOf(h host.Host) (n int) {
	for _, p := range h.Network().Peers() {
		if gossipStreams(h, p) > 0 {
			n++
		}
	}
	return n
}

func TestNodeGossipsWithAFewOfItsNeighboursAndHearsAll(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.presences(24, func(i int) []uint8 {
			if i == 0 {
				return []uint8{1}
			}
			return nil
		})
		for i, p := range all {
			for _, q := range all[i+1:] {
				s.connect(p.Host, q.Host)
			}
		}
		time.Sleep(20 * time.Minute)
		sum := 0
		for i, p := range all {
			n := circleOf(p.Host)
			if sum += n; n < circleEnough || n > circleMost {
				t.Errorf("%d gossips with %d", i, n)
			}
			if _, err := p.Find(t.Context(), all[0].Host.ID()); err != nil && i != 0 {
				t.Errorf("%d has not heard of the relay", i)
			}
		}
		if sum > 24*12 {
			t.Errorf("a node gossips with %.1f on average", float64(sum)/24)
		}
	})
}

func TestHubOfAStarGossipsWithNoMoreThanItHolds(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		const spokes = circleMost + 8
		all := s.presences(1+spokes, func(i int) []uint8 { return nil })
		hub := all[0].Host
		for _, p := range all[1:] {
			s.connect(p.Host, hub)
		}
		time.Sleep(time.Minute)
		if n := circleOf(hub); n != circleMost {
			t.Errorf("the hub gossips with %d", n)
		}
		left := 0
		for _, p := range all[1:] { // those who are in leave
			if gossipStreams(hub, p.Host.ID()) > 0 && left < 8 {
				left++
				_ = p.Host.Network().ClosePeer(hub.ID())
			}
		}
		time.Sleep(circleRest + time.Minute)
		for i, p := range all[1:] {
			connected := len(p.Host.Network().ConnsToPeer(hub.ID())) > 0
			if n := gossipStreams(hub, p.Host.ID()); connected != (n == 2) {
				t.Errorf("%d has %d streams with the hub", i+1, n)
			}
		}
	})
}

// A node of another kind, to which a refused stream is a failure, is let be.
func TestStockGossipIsRefusedOnceTheCircleIsFull(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.presences(1+circleMost, func(int) []uint8 { return nil })
		hub := all[0].Host
		for _, p := range all[1:] {
			s.connect(p.Host, hub)
		}
		time.Sleep(time.Minute)
		stock := s.host(200)
		ps, err := pubsub.NewGossipSub(t.Context(), stock)
		if err != nil {
			t.Fatal(err)
		}
		topic, err := ps.Join(protocols.PresenceTopic)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := topic.Subscribe(); err != nil {
			t.Fatal(err)
		}
		s.connect(stock, hub)
		time.Sleep(time.Minute)
		if n := gossipStreams(hub, stock.ID()); n != 0 {
			t.Errorf("%d streams beyond the bound", n)
		}
		_ = all[1].Host.Network().ClosePeer(hub.ID())
		_ = stock.Network().ClosePeer(hub.ID())
		time.Sleep(time.Second)
		s.connect(stock, hub)
		time.Sleep(time.Minute)
		if n := gossipStreams(hub, stock.ID()); n != 2 {
			t.Errorf("%d streams with room for it", n)
		}
	})
}
