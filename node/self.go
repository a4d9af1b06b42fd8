package node

import (
	"context"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/identity"
)

// ID is this node's peer id.
func (n *Node) ID() string { return n.identity.PeerID().String() }

// Key is this node's identity.
func (n *Node) Key() Peer { return n.identity.Public() }

// Addrs are the addresses this node can be reached at, best first, at most
// eight.
func (n *Node) Addrs() []multiaddr.Multiaddr {
	return identity.SelectAddrs(n.host.Addrs())
}

// addrsForAll are Addrs for those who are elsewhere: whoever is told of loopback
// dials it, and what is dialled in vain holds up what is not.
func (n *Node) addrsForAll() []multiaddr.Multiaddr {
	addrs := n.host.Addrs()
	if !n.hostInfo.Local {
		addrs = slices.DeleteFunc(slices.Clone(addrs), identity.HereOnly)
	}
	return identity.SelectAddrs(addrs)
}

// Link is this node's contact link: who has it can connect without any lookup.
func (n *Node) Link() string {
	return identity.Link{Peer: n.identity.Public(), Addrs: n.host.Addrs(), Name: n.cfg.Name}.String()
}

// Reachability is how this node can be reached from outside: public, private or
// local.
func (n *Node) Reachability() string { return n.reach.Reachability() }

// Info sums the node up.
type Info struct {
	Uptime       time.Duration
	Reachability string
	Peers        int           // connected
	Queued       int           // messages of ours not yet with anybody
	Waiting      int           // messages with relays or holders
	ClockOffset  time.Duration // by how much the others' clocks are ahead; zero with fewer than three peers
	Notices      []string      // what the user should know, a sentence each
}

// clockTolerance is how far this node's clock may be off before it is said.
const clockTolerance = 2 * time.Minute

// Info sums the node up.
func (n *Node) Info(ctx context.Context) (Info, error) {
	queued, waiting, err := n.courier.Counts(ctx)
	if err != nil {
		return Info{}, err
	}
	i := Info{
		Uptime: time.Since(n.started), Reachability: n.Reachability(),
		Peers: len(n.links.Peers()), Queued: queued, Waiting: waiting,
	}
	i.ClockOffset, _ = n.clock.Offset()
	i.Notices = n.notices(i.ClockOffset)
	return i, nil
}

func (n *Node) notices(offset time.Duration) (notices []string) {
	if n.weather != nil {
		notices = append(notices, n.chaosNotice())
	}
	if n.hostInfo.PortTaken {
		notices = append(notices, "the port of the last run is taken, so links and router rules made then do not work in this run")
	}
	if offset.Abs() > clockTolerance {
		word := "behind"
		if offset < 0 {
			word = "ahead of"
		}
		notices = append(notices, "the clock of this device is "+offset.Abs().Round(time.Second).String()+" "+word+" the others': set it right, or messages are refused")
	}
	if !n.clock.Destroying() {
		notices = append(notices, "the clock leapt ahead by more than an hour: nothing is deleted until two peers agree with it")
	}
	return notices
}

// watchSelf follows this node's addresses, and where its neighbours say they
// listen, until ctx ends.
func (n *Node) watchSelf(ctx context.Context) error {
	sub, err := n.host.EventBus().Subscribe([]any{
		new(event.EvtLocalAddressesUpdated), new(event.EvtPeerIdentificationCompleted),
	}, eventbus.Name("tom/node"), eventbus.BufSize(256))
	if err != nil {
		return err
	}
	defer sub.Close()
	n.rememberAddrs()
	again := time.NewTicker(tellAgain)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
			n.tellNeighbours()
		case ev := <-sub.Out():
			met, ok := ev.(event.EvtPeerIdentificationCompleted)
			if !ok {
				n.rememberAddrs()
				n.tellNeighbours()
			} else if p, err := identity.KeyOf(met.Peer); err == nil {
				n.met(p)
			}
		}
	}
}

// rememberAddrs keeps the addresses for the contact link of a node that is not
// running.
func (n *Node) rememberAddrs() {
	s, err := n.loadSettings()
	if err == nil {
		s.Addrs = nil
		for _, a := range n.Addrs() {
			s.Addrs = append(s.Addrs, a.String())
		}
		err = n.saveSettings(s)
	}
	warn("keep addresses", err)
}
