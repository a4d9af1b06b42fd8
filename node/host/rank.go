package host

import (
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

const (
	// relayDelay is the head start of direct addresses. A circuit takes four
	// round trips to set up and a direct connection one, so what is alive wins
	// with less; what is dead costs no more than this. libp2p waits 500 ms.
	relayDelay = 100 * time.Millisecond
	// strangerDelay comes on top for a relay that must be dialled first. The
	// circuits to a peer are set up one after another, so a dead relay in front
	// would hold up all others.
	strangerDelay = 250 * time.Millisecond
	// sameDelay comes on top for a further address of a relay that is connected. It
	// leads to the same connection; dialled at once, such addresses take up what few
	// dials to a peer may run at a time, and a punch would have to wait for them.
	sameDelay = time.Second
)

// ranker says when to dial which address: the direct ones as libp2p does, those
// through relays soon after, the relays that are connected first. Where tcpFirst
// says so, QUIC to public addresses waits for TCP.
func ranker(tcpFirst func() bool, connected func(peer.ID) bool) network.DialRanker {
	return func(addrs []multiaddr.Multiaddr) []network.AddrDelay {
		var relayed, direct []multiaddr.Multiaddr
		for _, a := range addrs {
			if _, err := a.ValueForProtocol(multiaddr.P_CIRCUIT); err == nil {
				relayed = append(relayed, a)
			} else {
				direct = append(direct, a)
			}
		}
		var head time.Duration
		if len(direct) > 0 {
			head = relayDelay
		}
		ranked := swarm.DefaultDialRanker(direct)
		if tcpFirst != nil && slices.ContainsFunc(direct, publicTCP) && tcpFirst() {
			ranked = swapTCP(ranked)
		}
		return append(ranked, rankRelayed(relayed, head, connected)...)
	}
}

func publicTCP(a multiaddr.Multiaddr) bool {
	_, err := a.ValueForProtocol(multiaddr.P_TCP)
	return err == nil && manet.IsPublicAddr(a)
}

// swapTCP lets public TCP addresses start where QUIC would, and the other public
// ones after them.
func swapTCP(ranked []network.AddrDelay) []network.AddrDelay {
	var next time.Duration
	for i, d := range ranked {
		if publicTCP(d.Addr) {
			ranked[i].Delay = next
			next += swarm.PublicTCPDelay
		}
	}
	for i, d := range ranked {
		if !publicTCP(d.Addr) && manet.IsPublicAddr(d.Addr) {
			ranked[i].Delay += next
		}
	}
	slices.SortStableFunc(ranked, func(a, b network.AddrDelay) int { return int(a.Delay - b.Delay) })
	return ranked
}

// rankRelayed orders addresses through relays: one address of each relay, those
// of connected relays first and at once, then the others' one by one in the order
// in which they came, then what is left.
func rankRelayed(addrs []multiaddr.Multiaddr, head time.Duration, connected func(peer.ID) bool) []network.AddrDelay {
	ranked := make([]network.AddrDelay, 0, len(addrs))
	var left []multiaddr.Multiaddr
	seen := make(map[peer.ID]bool)
	next := head
	if slices.ContainsFunc(addrs, func(a multiaddr.Multiaddr) bool { return connected(relayOf(a)) }) {
		next += strangerDelay
	}
	for _, a := range addrs {
		relay := relayOf(a)
		switch {
		case seen[relay]:
			left = append(left, a)
			continue
		case connected(relay):
			ranked = append(ranked, network.AddrDelay{Addr: a, Delay: head})
		default:
			ranked = append(ranked, network.AddrDelay{Addr: a, Delay: next})
			next += strangerDelay
		}
		seen[relay] = true
	}
	for _, a := range left {
		delay := next
		if connected(relayOf(a)) {
			delay += sameDelay
		}
		ranked = append(ranked, network.AddrDelay{Addr: a, Delay: delay})
	}
	slices.SortStableFunc(ranked, func(a, b network.AddrDelay) int { return int(a.Delay - b.Delay) })
	return ranked
}

// relayOf returns the relay of an address through one; empty if it names none.
func relayOf(a multiaddr.Multiaddr) peer.ID {
	text, err := a.ValueForProtocol(multiaddr.P_P2P)
	if err != nil {
		return ""
	}
	id, err := peer.Decode(text)
	if err != nil {
		return ""
	}
	return id
}
