package discovery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
)

// circled is the host as gossipsub sees it: with a circle of neighbours, where
// gossipsub by itself keeps two streams with every one. Nor does it hear of
// signed addresses, of which it would keep a book of its own.
type circled struct {
	host.Host
	bus     event.Bus
	joins   event.Emitter      // whom gossipsub is to open a stream to
	sub     event.Subscription // of the real host's bus
	changed chan struct{}      // holds at most one token: somebody may be missing

	mu     sync.Mutex // guards circle
	circle *circle
}

func newCircled(h host.Host, kin func(peer.ID) bool) (*circled, error) {
	c := &circled{Host: h, bus: eventbus.NewBus(), changed: make(chan struct{}, 1), circle: newCircle(kin)}
	var err error
	if c.joins, err = c.bus.Emitter(new(event.EvtPeerIdentificationCompleted)); err != nil {
		return nil, fmt.Errorf("tell gossip of neighbours: %w", err)
	}
	c.sub, err = h.EventBus().Subscribe([]any{
		new(event.EvtPeerIdentificationCompleted), new(event.EvtPeerProtocolsUpdated), new(event.EvtPeerConnectednessChanged),
	}, eventbus.Name("tom/gossip"), eventbus.BufSize(256))
	if err != nil {
		return nil, fmt.Errorf("follow neighbours: %w", err)
	}
	return c, nil
}

// gossips says that one of the protocols is gossipsub's.
func gossips(ids []protocol.ID) bool {
	return slices.ContainsFunc(ids, func(id protocol.ID) bool { return strings.HasPrefix(string(id), "/meshsub/") })
}

// run keeps the circle until ctx ends.
func (c *circled) run(ctx context.Context) {
	defer c.sub.Close()
	for _, p := range c.Host.Network().Peers() {
		if ids, err := c.Peerstore().GetProtocols(p); err == nil && gossips(ids) {
			c.met(p)
		}
	}
	again := time.NewTimer(time.Hour)
	defer again.Stop()
	for {
		if at := c.widen(); !at.IsZero() {
			again.Reset(time.Until(at))
		} else {
			again.Stop()
		}
		select {
		case <-ctx.Done():
			return
		case e := <-c.sub.Out():
			c.hear(e)
		case <-c.changed:
		case <-again.C:
		}
	}
}

func (c *circled) hear(e any) {
	switch e := e.(type) {
	case event.EvtPeerIdentificationCompleted:
		if gossips(e.Protocols) {
			c.met(e.Peer)
		}
	case event.EvtPeerProtocolsUpdated:
		if gossips(e.Added) {
			c.met(e.Peer)
		}
	case event.EvtPeerConnectednessChanged:
		if e.Connectedness != network.Connected {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.circle.part(e.Peer)
		}
	}
}

// met takes note of somebody who speaks gossip and is no circuit away.
func (c *circled) met(p peer.ID) {
	if c.Host.Network().Connectedness(p) != network.Connected {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.circle.meet(p)
}

// widen takes in who is missing, and says when to look again.
func (c *circled) widen() (again time.Time) {
	for {
		now := time.Now()
		c.mu.Lock()
		p, ok := c.circle.choose(now)
		again = c.circle.due(now)
		c.mu.Unlock()
		if !ok {
			return again
		}
		c.join(p)
	}
}

// join has gossipsub open a stream to p, unless it has one.
func (c *circled) join(p peer.ID) {
	// Whoever comes may not have been identified yet.
	_ = c.joins.Emit(event.EvtPeerIdentificationCompleted{Peer: p, Protocols: []protocol.ID{pubsub.GossipSubID_v11}})
}

// EventBus returns the bus on which gossipsub hears of the circle.
func (c *circled) EventBus() event.Bus { return c.bus }

// Network returns the host's, with nobody in it but the circle.
func (c *circled) Network() network.Network { return circleNetwork{c.Host.Network(), c} }

// SetStreamHandler has whoever comes let in first.
func (c *circled) SetStreamHandler(id protocol.ID, handle network.StreamHandler) {
	c.Host.SetStreamHandler(id, func(s network.Stream) {
		if !c.welcome(s.Conn().RemotePeer()) {
			_ = s.Reset()
			return
		}
		handle(s)
	})
}

// welcome lets in who comes: as a guest if there is room for one, else only if
// this node would choose them now. Its own gossipsub does not come twice, and
// others give up after a few times: who may have a place hears so at once, also
// before it is identified.
func (c *circled) welcome(p peer.ID) bool {
	c.mu.Lock()
	known, ok := c.circle.has(p), c.circle.admit(p)
	c.mu.Unlock()
	switch {
	case known:
	case ok:
		c.join(p)
	default:
		c.met(p)
		c.widen()
		ok = c.has(p)
	}
	return ok
}

// has says that p is in the circle.
func (c *circled) has(p peer.ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.circle.has(p)
}

// NewStream opens a stream whose end is noticed.
func (c *circled) NewStream(ctx context.Context, p peer.ID, ids ...protocol.ID) (network.Stream, error) {
	s, err := c.Host.NewStream(ctx, p, ids...)
	if err != nil {
		c.lost(p, (*circle).failed)
		return nil, err
	}
	return &noticed{Stream: s, ended: sync.OnceFunc(func() { c.lost(p, (*circle).ended) })}, nil
}

// lost notes what happened to a stream to p.
func (c *circled) lost(p peer.ID, how func(*circle, peer.ID, time.Time)) {
	c.mu.Lock()
	how(c.circle, p, time.Now())
	c.mu.Unlock()
	c.look()
}

// look has the circle looked at: somebody may be missing, or be kin by now.
func (c *circled) look() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// noticed is a stream whose end is told: gossipsub resets each that has ended.
type noticed struct {
	network.Stream
	ended func()
}

// Reset ends the stream.
func (n *noticed) Reset() error {
	n.ended()
	return n.Stream.Reset()
}

// circleNetwork is the network of a circle.
type circleNetwork struct {
	network.Network
	of *circled
}

// Connectedness says that nobody outside of the circle is connected.
func (n circleNetwork) Connectedness(p peer.ID) network.Connectedness {
	if !n.of.has(p) {
		return network.NotConnected
	}
	return n.Network.Connectedness(p)
}
