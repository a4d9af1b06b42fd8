package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"

	nodehost "github.com/tom-protocol/tom/node/host"
	"github.com/tom-protocol/tom/node/reach"
	"github.com/tom-protocol/tom/protocols/heartbeat"
)

// newReach makes the owner of this node's reachability, which the host is made
// with.
func (n *Node) newReach() *reach.Service {
	return reach.New(reach.Config{
		Vouch: n.cfg.vouch, Uplink: n.cfg.Uplink, Relays: n.relayCandidates,
		Reconnect:     func(ctx context.Context) { n.links.Reconnect(ctx, "the uplink changed") },
		RelaysChanged: func(ids []peer.ID) { n.links.Lean(ids) },
		Wanted:        nodehost.Relays, PortMap: !n.cfg.NoPortMap, Registerer: n.cfg.Registry,
	})
}

// relayForOthers opens circuits for others while this node has the role of a
// relay, and has the role thought over when it has become public, or is so no
// more.
func (n *Node) relayForOthers(ctx context.Context) error {
	for {
		changed := n.reach.Changed()
		n.relay.Review()
		if err := n.reach.Serve(slices.Contains(n.relay.Roles(), heartbeat.RoleRelay)); err != nil {
			return fmt.Errorf("relay for others: %w", err)
		}
		select {
		case <-changed:
		case <-n.roleNews:
		case <-ctx.Done():
			return nil
		}
	}
}

// Reach says all that is known of how this node can be reached, and what limits
// it.
func (n *Node) Reach() reach.Report { return n.reach.Report() }
