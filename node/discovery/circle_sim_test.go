package discovery

import (
	"strings"
	"testing"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

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
		virtual.Pass(20 * time.Minute)
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
		virtual.Pass(time.Minute)
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
		virtual.Pass(circleRest + time.Minute)
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
		virtual.Pass(time.Minute)
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
		virtual.Pass(time.Minute)
		if n := gossipStreams(hub, stock.ID()); n != 0 {
			t.Errorf("%d streams beyond the bound", n)
		}
		_ = all[1].Host.Network().ClosePeer(hub.ID())
		_ = stock.Network().ClosePeer(hub.ID())
		virtual.Pass(time.Second)
		s.connect(stock, hub)
		virtual.Pass(time.Minute)
		if n := gossipStreams(hub, stock.ID()); n != 2 {
			t.Errorf("%d streams with room for it", n)
		}
	})
}
