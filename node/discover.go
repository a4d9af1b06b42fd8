package node

import (
	"context"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/discovery"
	"github.com/tom-protocol/tom/node/identity"
)

// newFinder looks for other nodes wherever the configuration lets it.
func (n *Node) newFinder() *discovery.Service {
	sources := []discovery.Source{n.cache, discovery.AddressBook(n.knownAddrs)}
	if len(n.cfg.bootstrap) > 0 {
		sources = append(sources, n.cfg.bootstrap)
	}
	if !n.cfg.NoRendezvous {
		sources = append(sources, discovery.NewRendezvous(n.cfg.rendezvousDir(), func() peer.AddrInfo {
			return peer.AddrInfo{ID: n.host.ID(), Addrs: n.Addrs()}
		}))
	}
	if !n.cfg.NoMDNS && !n.hostInfo.Local {
		sources = append(sources, discovery.NewMDNS(n.host, n.cfg.network))
	}
	if !n.cfg.NoDHT {
		n.dht = n.newDHT()
		sources = append(sources, n.dht)
	}
	return discovery.New(discovery.Config{
		Self: n.host.ID(), Sources: sources,
		Connected: func(id peer.ID) bool {
			p, err := identity.KeyOf(id)
			return err == nil && n.links.Direct(p) // a circuit may give way to what is found
		},
		Count:   func() int { return len(n.host.Network().Peers()) },
		Connect: func(ctx context.Context, info peer.AddrInfo) error { return n.links.ConnectAddr(ctx, info) },
	})
}

func (n *Node) newDHT() *discovery.DHT {
	return discovery.NewDHT(discovery.DHTConfig{
		Host: n.host, Network: n.cfg.network, Local: n.hostInfo.Local,
		Confirmed: n.reach.Public,
		Prekeys: func() []byte {
			record, err := n.vault.Record(n.signer)
			warn("publish prekeys", err)
			return record
		},
		Roles: func() []uint8 { return n.hello().Roles },
		Now:   n.clock.Now, Registerer: n.cfg.Registry,
	})
}

// knownAddrs is where a peer is said to be by the user, or was by itself.
func (n *Node) knownAddrs(id peer.ID) []multiaddr.Multiaddr {
	addrs := slices.Clone(n.host.Peerstore().Addrs(id))
	if p, err := identity.KeyOf(id); err == nil {
		addrs = append(addrs, n.addrsOf(p)...)
	}
	return addrs
}

// Answer is what one source of addresses says of a peer: a claim.
type Answer = discovery.Answer

// Find asks every source where a peer is, at once. The channel is closed after
// the last answer.
func (n *Node) Find(ctx context.Context, name string) (Peer, <-chan Answer, error) {
	p, err := n.Resolve(name)
	if err != nil {
		return Peer{}, nil, err
	}
	return p, n.finder.Find(ctx, identity.PeerIDOf(p)), nil
}

// lookUpPrekeys looks for the record of a peer that is not connected.
func (n *Node) lookUpPrekeys(ctx context.Context, p Peer) []byte {
	if n.dht == nil {
		return nil
	}
	record, err := n.dht.Prekeys(ctx, p)
	if err != nil {
		logger.Debugw("no prekeys in the DHT", "peer", p, "err", err)
	}
	return record
}
