package discovery

import (
	"context"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	manet "github.com/multiformats/go-multiaddr/net"
)

// judged is the host as the DHT sees it. Its event bus carries our own judgement
// of whether this node can serve others, because the host's event stays
// "private" for AutoRelay's sake, and kad-dht's own judgement would leave a LAN
// without a server. And its connection manager lets the DHT have preferences
// only: kad-dht protects two whole buckets of peers for ever, which would lift
// the marks that bound this node's connections.
type judged struct {
	host.Host
	bus       event.Bus
	confirmed func() bool

	sub     event.Subscription // of the real host's bus
	verdict event.Emitter
	copies  map[copied]event.Emitter
}

// copied is a kind of event that the DHT needs from the real bus.
type copied int

const (
	identified copied = iota
	protocolsChanged
	addressesChanged
	connectedness
)

var copiedEvents = map[copied]any{
	identified:       new(event.EvtPeerIdentificationCompleted),
	protocolsChanged: new(event.EvtPeerProtocolsUpdated),
	addressesChanged: new(event.EvtLocalAddressesUpdated),
	connectedness:    new(event.EvtPeerConnectednessChanged),
}

func newJudged(h host.Host, confirmed func() bool) (*judged, error) {
	j := &judged{Host: h, bus: eventbus.NewBus(), confirmed: confirmed, copies: make(map[copied]event.Emitter)}
	var err error
	if j.verdict, err = j.bus.Emitter(new(event.EvtLocalReachabilityChanged), eventbus.Stateful); err != nil {
		return nil, fmt.Errorf("judge the DHT's mode: %w", err)
	}
	var kinds []any
	for k, e := range copiedEvents {
		if j.copies[k], err = j.bus.Emitter(e); err != nil {
			return nil, fmt.Errorf("copy events: %w", err)
		}
		kinds = append(kinds, e)
	}
	if j.sub, err = h.EventBus().Subscribe(kinds, eventbus.Name("tom/dht"), eventbus.BufSize(256)); err != nil {
		return nil, fmt.Errorf("follow events: %w", err)
	}
	return j, nil
}

func (j *judged) close() {
	_ = j.sub.Close()
	_ = j.verdict.Close()
	for _, e := range j.copies {
		_ = e.Close()
	}
}

// EventBus returns the bus of the DHT's own.
func (j *judged) EventBus() event.Bus { return j.bus }

// ConnManager returns the host's, without protection for ever.
func (j *judged) ConnManager() connmgr.ConnManager { return mildManager{j.Host.ConnManager()} }

// judgeEvery bounds how often the mode is judged.
const judgeEvery = 2 * time.Second

// run copies events and judges until ctx ends. It calls heard for each new
// neighbour, and when our addresses have changed.
func (j *judged) run(ctx context.Context, heard func(moved bool)) {
	soon := time.NewTimer(0)
	defer soon.Stop()
	armed, serving := true, false
	for {
		select {
		case <-ctx.Done():
			return
		case ev := <-j.sub.Out():
			j.copy(ev, heard)
			if !armed {
				armed = true
				soon.Reset(judgeEvery)
			}
		case <-soon.C:
			armed = false
			if now := j.judge(serving); now != serving {
				serving = now
				_ = j.verdict.Emit(event.EvtLocalReachabilityChanged{Reachability: reachability(serving)})
			}
		}
	}
}

func reachability(serving bool) network.Reachability {
	if serving {
		return network.ReachabilityPublic
	}
	return network.ReachabilityPrivate
}

// copy passes an event on.
func (j *judged) copy(ev any, heard func(moved bool)) {
	switch ev.(type) {
	case event.EvtPeerIdentificationCompleted:
		_ = j.copies[identified].Emit(ev)
		heard(false)
	case event.EvtPeerProtocolsUpdated:
		_ = j.copies[protocolsChanged].Emit(ev)
		heard(false)
	case event.EvtLocalAddressesUpdated:
		_ = j.copies[addressesChanged].Emit(ev)
		heard(true)
	case event.EvtPeerConnectednessChanged:
		_ = j.copies[connectedness].Emit(ev)
	}
}

// judge says whether this node should serve the DHT.
func (j *judged) judge(serving bool) bool {
	seen := make(map[peer.ID]bool)
	var near, far int
	for _, c := range j.Network().Conns() {
		if seen[c.RemotePeer()] {
			continue
		}
		seen[c.RemotePeer()] = true
		a := c.RemoteMultiaddr()
		if !c.Stat().Limited && (manet.IsIPLoopback(a) || manet.IsPrivateAddr(a)) {
			near++
		} else {
			far++
		}
	}
	return serves(j.confirmed != nil && j.confirmed(), serving, near, far)
}

// serves is the rule: who can be dialled from outside serves, and who lives
// among neighbours, because they can dial it whatever stands between them and
// the rest of the world. Alone it stays what it was.
func serves(confirmed, serving bool, near, far int) bool {
	switch {
	case confirmed:
		return true
	case near+far == 0:
		return serving
	default:
		return near > far
	}
}

// mildManager makes of each protection a preference.
type mildManager struct{ connmgr.ConnManager }

// protectedWeight is worth more than what the DHT gives peers of the buckets
// that it does not protect.
const protectedWeight = 10

// Protect prefers a peer.
func (m mildManager) Protect(id peer.ID, tag string) { m.TagPeer(id, tag, protectedWeight) }

// Unprotect ends the preference.
func (m mildManager) Unprotect(id peer.ID, tag string) bool {
	m.UntagPeer(id, tag)
	return false
}
