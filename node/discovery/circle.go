package discovery

import (
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Bounds of the circle of neighbours with whom this node gossips. A neighbour in
// it costs two streams and three goroutines, a fifth of what an idle one costs in
// all, and the mesh of a topic takes no more than six.
const (
	circleChosen = 3               // of this node's own choice at least: whoever comes to it cannot shut it in
	circleEnough = 6               // beyond which it chooses nobody
	circleMost   = 32              // with those who come to it
	circleKin    = 32              // more, of those who share a topic with this node
	circlePace   = gossipBeat      // between choices, after the first few: others choose as well
	circleRest   = 5 * time.Minute // until somebody who has closed is asked again
	circleTries  = 2               // streams that somebody may close within circleRest
)

// circle decides with whom of those who speak gossip this node does. It has no
// clock and no lock.
type circle struct {
	kin    func(peer.ID) bool // shares a topic with this node, besides that of all
	peers  map[peer.ID]*gossiper
	chosen time.Time // the newest choice
}

// gossiper is a neighbour that speaks gossip.
type gossiper struct {
	bond   bond
	closed []time.Time // the newest ends of streams to it, circleTries at most
}

// bond is what a neighbour is to the circle.
type bond uint8

const (
	apart  bond = iota
	guest       // it has opened a stream to this node
	picked      // this node chose it
)

func newCircle(kin func(peer.ID) bool) *circle {
	if kin == nil {
		kin = func(peer.ID) bool { return false }
	}
	return &circle{kin: kin, peers: make(map[peer.ID]*gossiper)}
}

// meet takes note of a neighbour that speaks gossip.
func (c *circle) meet(p peer.ID) *gossiper {
	g := c.peers[p]
	if g == nil {
		g = new(gossiper)
		c.peers[p] = g
	}
	return g
}

// part forgets a neighbour that has left.
func (c *circle) part(p peer.ID) { delete(c.peers, p) }

// has says that p is in the circle.
func (c *circle) has(p peer.ID) bool {
	g := c.peers[p]
	return g != nil && g.bond != apart
}

// admit lets in somebody who comes, if there is room.
func (c *circle) admit(p peer.ID) bool {
	if c.has(p) {
		return true
	}
	most := circleMost
	if c.kin(p) {
		most += circleKin
	}
	if all, chosen := c.size(); all >= most || all-chosen >= most-circleChosen {
		return false
	}
	c.meet(p).bond = guest
	return true
}

// size is how many the circle holds, and how many of them this node chose.
func (c *circle) size() (all, chosen int) {
	for _, g := range c.peers {
		switch g.bond {
		case picked:
			chosen++
			fallthrough
		case guest:
			all++
		}
	}
	return all, chosen
}

// failed notes that no stream to p could be opened: it is out of the circle.
func (c *circle) failed(p peer.ID, now time.Time) {
	for range circleTries {
		c.ended(p, now)
	}
}

// ended notes that a stream to p has ended. Gossipsub opens another, but if that
// goes on p has no room for this node, and is out of the circle.
func (c *circle) ended(p peer.ID, now time.Time) {
	g := c.peers[p]
	if g == nil {
		return
	}
	g.closed = append(g.closed, now)
	if n := len(g.closed) - circleTries; n > 0 {
		g.closed = g.closed[n:]
	}
	if g.rests(now) {
		g.bond = apart
	}
}

// rests says that somebody is not asked now.
func (g *gossiper) rests(now time.Time) bool { return now.Before(g.until()) }

// until is when somebody may be asked.
func (g *gossiper) until() time.Time {
	if len(g.closed) < circleTries {
		return time.Time{}
	}
	if g.closed[circleTries-1].Sub(g.closed[0]) >= circleRest {
		return time.Time{}
	}
	return g.closed[circleTries-1].Add(circleRest)
}

// choose takes one more into the circle if that is due: kin first, and at random,
// so that neighbours spread over the network.
func (c *circle) choose(now time.Time) (p peer.ID, ok bool) {
	all, chosen := c.size()
	if c.wantsKin(all) {
		if p, ok = c.pick(now, c.kin); ok {
			return p, true
		}
	}
	if !c.wants(all, chosen) || now.Before(c.paced(chosen)) {
		return "", false
	}
	return c.pick(now, func(peer.ID) bool { return true })
}

// pick chooses one of those who will do.
func (c *circle) pick(now time.Time, will func(peer.ID) bool) (p peer.ID, ok bool) {
	var free []peer.ID
	for p, g := range c.peers {
		if g.bond == apart && !g.rests(now) && will(p) {
			free = append(free, p)
		}
	}
	if len(free) == 0 {
		return "", false
	}
	p = free[rand.IntN(len(free))]
	c.peers[p].bond, c.chosen = picked, now
	return p, true
}

// wants says that the circle is too small.
func (c *circle) wants(all, chosen int) bool {
	return all < circleMost && (chosen < circleChosen || all < circleEnough)
}

// wantsKin says that too few of the circle share a topic with this node.
func (c *circle) wantsKin(all int) bool {
	n := 0
	for p, g := range c.peers {
		if g.bond != apart && c.kin(p) {
			n++
		}
	}
	return n < circleEnough && all < circleMost+circleKin
}

// paced is when the next choice may be made.
func (c *circle) paced(chosen int) time.Time {
	if chosen < circleChosen {
		return time.Time{}
	}
	return c.chosen.Add(circlePace)
}

// due is when choose is worth another call, if nothing happens before: zero for
// never.
func (c *circle) due(now time.Time) (at time.Time) {
	all, chosen := c.size()
	if !c.wants(all, chosen) {
		return time.Time{}
	}
	for _, g := range c.peers {
		if g.bond != apart {
			continue
		}
		t := g.until()
		if paced := c.paced(chosen); t.Before(paced) {
			t = paced
		}
		if t.Before(now) {
			t = now
		}
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	return at
}
