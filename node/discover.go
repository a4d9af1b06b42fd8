package node

import (
	"context"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/discovery"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols/heartbeat"
	"github.com/tom-protocol/tom/protocols/presence"
	"github.com/tom-protocol/tom/relay/choose"
)

// newFinder looks for other nodes wherever the configuration lets it.
func (n *Node) newFinder() *discovery.Service {
	sources := []discovery.Source{n.cache, discovery.AddressBook(n.knownAddrs), discovery.Neighbours(n.neighboursWith)}
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
	if !n.cfg.NoGossip {
		sources = append(sources, n.presence)
	}
	if !n.cfg.NoDHT {
		n.dht = n.newDHT()
		sources = append(sources, n.dht)
	}
	count := func() int { return len(n.host.Network().Peers()) }
	// A node that can be dialled holds those that cannot, and there are several of
	// those for each: who takes more than a quarter of what it could hold itself
	// crowds others out, and is crowded out, over and over.
	enough := max(1, n.hostInfo.FewConns/4)
	n.cache.Wanted = func() bool { return count() < enough }
	return discovery.New(discovery.Config{
		Self: n.host.ID(), Sources: sources,
		Connected: func(id peer.ID) bool {
			p, err := identity.KeyOf(id)
			return err == nil && n.links.Direct(p) // a circuit may give way to what is found
		},
		Count: count, Enough: enough,
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
		Roles: n.announcedRoles, Offered: n.offered,
		Now: n.clock.Now, Registerer: n.cfg.Registry,
	})
}

// newPresence knows who offers a role, and says what this node offers.
func (n *Node) newPresence() *discovery.Presence {
	return discovery.NewPresence(discovery.PresenceConfig{
		Host: n.host, Network: n.cfg.network, Signer: n.signer,
		Offer: func() discovery.Offer {
			return discovery.Offer{Roles: n.announcedRoles(), Addrs: n.addrsForAll(), Load: n.relay.Load()}
		},
		Holders: n.nearHolders,
		Kin: func(p peer.ID) bool {
			k, err := identity.KeyOf(p)
			return err == nil && n.groups.CoMember(k)
		},
		Heard: func(p *presence.Presence) {
			for _, r := range p.Roles {
				n.offered(r.Role)
			}
		},
		Now: n.clock.Now, Registerer: n.cfg.Registry,
	})
}

// offered has this node look for relays again: somebody new offers to be one.
func (n *Node) offered(role uint8) {
	if role == heartbeat.RoleRelay {
		n.reach.Look()
		n.courier.RoutesChanged()
	}
}

// neighboursWith are the neighbours that say they offer a role.
func (n *Node) neighboursWith(role uint8) (all []peer.AddrInfo) {
	for _, l := range n.links.Peers() {
		if n.hellos.offers(l.Peer, role) {
			all = append(all, n.host.Peerstore().PeerInfo(identity.PeerIDOf(l.Peer)))
		}
	}
	return all
}

// manyRelays is how many relays that others speak of are compared.
const manyRelays = 64

// relayCandidates are at most max nodes that say they relay, the best first.
func (n *Node) relayCandidates(max int) (infos []peer.AddrInfo) {
	if !n.ran.Load() {
		return nil // nobody is known yet
	}
	offering := n.finder.Offering(heartbeat.RoleRelay, manyRelays)
	candidates, at := make([]choose.Candidate, 0, len(offering)), make(map[Peer]peer.AddrInfo)
	for _, info := range offering {
		if p, err := identity.KeyOf(info.ID); err == nil {
			at[p] = info
			candidates = append(candidates, atlas{n}.Look(p))
		}
	}
	for _, r := range n.relay.Rank(candidates) {
		if len(infos) < max {
			infos = append(infos, at[r.Peer])
		}
	}
	return infos
}

// knownAddrs is where a peer is said to be by the user, or was by itself.
func (n *Node) knownAddrs(id peer.ID) []multiaddr.Multiaddr {
	addrs := slices.Clone(n.host.Peerstore().Addrs(id))
	if p, err := identity.KeyOf(id); err == nil {
		addrs = append(addrs, n.addrsOf(p)...)
	}
	return multiaddr.Unique(addrs)
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

// secondOpinion is how long other sources are waited for once one has answered.
const secondOpinion = 200 * time.Millisecond

// search asks where a peer is now, once all that is known of it is of no use.
func (n *Node) search(ctx context.Context, p Peer) (addrs []multiaddr.Multiaddr, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := n.finder.Find(ctx, identity.PeerIDOf(p))
	var late <-chan time.Time
	for {
		select {
		case a, ok := <-answers:
			switch {
			case !ok && len(addrs) == 0:
				return nil, discovery.ErrNotFound
			case !ok:
				return addrs, nil
			case a.Err == nil && !slices.Contains(staleSources, a.Source):
				addrs = append(addrs, a.Addrs...)
				late = time.After(secondOpinion)
			}
		case <-late:
			return addrs, nil
		}
	}
}

// staleSources are those that every dial has asked already.
var staleSources = []string{"cache", "addressbook"}

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
