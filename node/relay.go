package node

import (
	"net"

	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/node/courier"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/heartbeat"
	"github.com/tom-protocol/tom/relay"
	"github.com/tom-protocol/tom/relay/choose"
	"github.com/tom-protocol/tom/relay/reputation"
)

// Relay is a relay that this node knows of, in its place and with the reasons.
type Relay = choose.Ranked

// Explanation is what this node has measured of a peer, and what follows.
type Explanation = reputation.Explanation

// newRelay relays for others and chooses relays for this node.
func (n *Node) newRelay() (*relay.Service, error) {
	return relay.New(relay.Config{
		Self: n.identity.Public(), Lines: n.links, Atlas: atlas{n},
		Mode: n.cfg.relay, Public: n.reach.Public,
		Finds:        n.dht != nil,
		Keeper:       shelf{n},
		File:         n.cfg.path("relays.json"),
		RolesChanged: func([]uint8) { n.rolesChanged() },
		Registerer:   n.cfg.Registry,
	})
}

// shelf is where what cannot be passed on is kept: with what is kept for others.
type shelf struct{ n *Node }

func (s shelf) Holds() bool { return s.n.holder.Role() }

func (s shelf) Keep(from Peer, e *envelope.Envelope, answer func(envelope.Answer)) {
	s.n.holder.Keep(from, e, func(a *backup.Answer) { answer(hopAnswer(a)) })
}

// hopAnswer says on the envelope's own stream what a holder has answered. What
// was delivered already is taken: who asks has its receipt, or gets it when it
// asks a holder. Where there is no room, the relay is none the worse for it.
func hopAnswer(a *backup.Answer) envelope.Answer {
	switch a.Code {
	case backup.Stored:
		return envelope.Answer{Code: envelope.Stored, Storage: a.Storage}
	case backup.Gone:
		return envelope.Answer{Code: envelope.Taken}
	}
	return envelope.Answer{Code: envelope.Refused, Reason: envelope.ReasonNoRoute}
}

// rolesChanged makes it known that this node offers other roles than before.
func (n *Node) rolesChanged() {
	if n.dht != nil {
		n.dht.Changed()
	}
	select {
	case n.roleNews <- struct{}{}:
	default: // it is known already
	}
}

// Relays are those this node knows of, in the order in which it would ask them.
func (n *Node) Relays() []Relay { return n.relay.Relays() }

// Why explains what this node has measured of a peer.
func (n *Node) Why(name string) (Explanation, error) {
	p, err := n.Resolve(name)
	if err != nil {
		return Explanation{}, err
	}
	return n.relay.Why(p), nil
}

// transit gives the courier's streams to the relay.
type transit struct{ *relay.Service }

func (t transit) Carry(in courier.Inbound, e *envelope.Envelope) { t.Service.Carry(in, e) }

// atlas is what the relay is told of who is where.
type atlas struct{ n *Node }

func (a atlas) Stranger(p Peer) bool { return a.n.store.Stranger(p) }

func (a atlas) Neighbours() []choose.Candidate {
	peers := a.n.links.Peers()
	all := make([]choose.Candidate, len(peers))
	for i, l := range peers {
		all[i] = a.candidate(l.Peer, []multiaddr.Multiaddr{l.Addr})
		all[i].Connected, all[i].RTT, all[i].Load = true, l.RTT, l.Load
	}
	return all
}

func (a atlas) Look(p Peer) choose.Candidate {
	c := a.candidate(p, a.addrs(p))
	c.Connected = a.n.links.Connected(p)
	return c
}

func (a atlas) candidate(p Peer, addrs []multiaddr.Multiaddr) choose.Candidate {
	contact, known := a.n.store.Contact(p)
	return choose.Candidate{
		Peer: p, Networks: networksOf(addrs),
		Contact: known && contact.Name != "",
		Offers:  a.n.hellos.offers(p, heartbeat.RoleRelay) || a.n.presence.Offers(p, heartbeat.RoleRelay),
		Load:    a.n.presence.Load(p),
	}
}

// addrs are all addresses known of a peer.
func (a atlas) addrs(p Peer) []multiaddr.Multiaddr {
	return append(a.n.dialAddrs(p), a.n.host.Peerstore().Addrs(identity.PeerIDOf(p))...)
}

// Behind reads the relays out of a peer's circuit addresses.
func (a atlas) Behind(p Peer) (relays []Peer) {
	for _, addr := range a.addrs(p) {
		if k, ok := relayIn(addr); ok {
			relays = append(relays, k)
		}
	}
	return relays
}

func (a atlas) Known(p Peer) (known, direct bool) {
	for _, addr := range a.addrs(p) {
		known = true
		if _, relayed := relayIn(addr); !relayed {
			return true, true
		}
	}
	return known, false
}

// relayIn is the relay of a circuit address.
func relayIn(addr multiaddr.Multiaddr) (relay Peer, ok bool) {
	before, circuit := multiaddr.SplitFunc(addr, func(c multiaddr.Component) bool {
		return c.Protocol().Code == multiaddr.P_CIRCUIT
	})
	if len(circuit) == 0 {
		return Peer{}, false
	}
	id, err := before.ValueForProtocol(multiaddr.P_P2P)
	if err != nil {
		return Peer{}, false
	}
	decoded, err := peer.Decode(id)
	if err != nil {
		return Peer{}, false
	}
	relay, err = identity.KeyOf(decoded)
	return relay, err == nil
}

// networksOf are the networks that addresses are in, those without a relay.
func networksOf(addrs []multiaddr.Multiaddr) (all []choose.Network) {
	seen := make(map[choose.Network]bool)
	for _, addr := range addrs {
		if _, relayed := relayIn(addr); relayed {
			continue
		}
		ip, err := manet.ToIP(addr)
		if err != nil {
			continue
		}
		if network := choose.NetworkOf(shortest(ip)); network != "" && !seen[network] {
			seen[network] = true
			all = append(all, network)
		}
	}
	return all
}

// shortest is an IPv4 address in four bytes, also where it is written as IPv6.
func shortest(ip net.IP) net.IP {
	if v4 := ip.To4(); v4 != nil {
		return v4
	}
	return ip
}
