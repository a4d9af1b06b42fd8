package courier

import (
	"context"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// hailTimeout is how long a dial to a relay may take.
const hailTimeout = 5 * time.Second

func (c *Courier) routes(q delivery.RouteRequest) []delivery.Route {
	if c.Router == nil {
		return nil
	}
	return c.Router.Routes(q.To, q.Size)
}

func (c *Courier) judge(all []delivery.Judgement) {
	for _, j := range all {
		c.Router.Outcome(j.Via, j.Outcome) // there is a router: it knew the route
	}
}

// RoutesChanged is told when there may be routes where there were none: a relay
// has connected, or one was heard of. It costs next to nothing.
func (c *Courier) RoutesChanged() {
	if c.newRoutes.Swap(true) {
		return
	}
	c.mail.put(func(m *delivery.Machine, now time.Time) {
		c.newRoutes.Store(false)
		m.RoutesChanged(now)
	})
}

// passOn gives envelopes to the first relay of a route, which is dialled if it
// is not connected.
func (c *Courier) passOn(m *delivery.Machine, now time.Time, t delivery.Transmit) {
	if c.Lines.Connected(t.Peer) {
		for _, id := range t.IDs {
			c.pass(m, now, t, id)
		}
		return
	}
	waiting, hailed := c.boarding[t.Peer]
	c.boarding[t.Peer] = append(waiting, t) // bounded by what the machine lets be open
	if !hailed {
		c.workers.Go(func() { c.hail(t.Peer) })
	}
}

// pass puts one envelope on the connection to the first relay of its route.
func (c *Courier) pass(m *delivery.Machine, now time.Time, t delivery.Transmit, id envelope.ID) {
	frame, err := c.frame(id)
	if err != nil {
		m.Unreadable(now, id, err.Error())
		return
	}
	if frame, err = envelope.WithVia(frame, t.Via); err == nil {
		err = c.Lines.SendEnvelope(t.Peer, frame, func(err error) { c.passed(t.Peer, id, err) })
	}
	if err != nil {
		m.UnsentVia(now, t.Peer, id, brief(err).Error())
	}
}

// passed tells the machine whether an envelope's bytes have left for a relay.
func (c *Courier) passed(relay protocols.Key, id envelope.ID, err error) {
	c.mail.put(func(m *delivery.Machine, now time.Time) {
		if err != nil {
			m.UnsentVia(now, relay, id, brief(err).Error())
			return
		}
		m.WrittenVia(now, relay, id)
	})
}

// hail dials a relay for what waits for it.
func (c *Courier) hail(relay protocols.Key) {
	if c.hailing.Acquire(c.ctx, 1) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, hailTimeout)
	err := c.Lines.Connect(ctx, relay)
	cancel()
	c.hailing.Release(1)
	c.mail.put(func(m *delivery.Machine, now time.Time) { c.hailed(m, now, relay, err) })
}

func (c *Courier) hailed(m *delivery.Machine, now time.Time, relay protocols.Key, err error) {
	waiting := c.boarding[relay]
	delete(c.boarding, relay)
	for _, t := range waiting {
		for _, id := range t.IDs {
			if err == nil {
				c.pass(m, now, t, id)
			} else {
				m.UnsentVia(now, relay, id, brief(err).Error())
			}
		}
	}
}

// lookUpTimeout is how long a search for prekeys may take.
const lookUpTimeout = 10 * time.Second

// lookUp looks for the prekeys of a peer who is not connected. Nobody is looked
// for on account of a stranger who wants receipts.
func (c *Courier) lookUp(p protocols.Key) {
	if c.LookUp != nil && !c.Store.Stranger(p) && c.looking.Acquire(c.ctx, 1) == nil {
		ctx, cancel := context.WithTimeout(c.ctx, lookUpTimeout)
		record := c.LookUp(ctx, p)
		cancel()
		c.looking.Release(1)
		c.LearnPrekeys(p, record)
	}
	c.mail.put(func(m *delivery.Machine, now time.Time) { m.LookedUp(now, p) })
}
