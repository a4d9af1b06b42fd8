package links

import (
	"strings"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols/delivery"
)

// pathOf says how a connection goes. For a circuit the transport is the one
// between this node and the relay.
func pathOf(c network.Conn) delivery.Path {
	addr := c.RemoteMultiaddr()
	path := delivery.Path{Transport: transportOf(addr), Relayed: c.Stat().Limited}
	var last peer.ID // the one before the circuit
	multiaddr.ForEach(addr, func(part multiaddr.Component) bool {
		switch part.Protocol().Code {
		case multiaddr.P_P2P:
			last, _ = peer.IDFromBytes(part.RawValue())
		case multiaddr.P_CIRCUIT:
			path.Relayed = true
			path.Via, _ = identity.KeyOf(last) // zero for a relay that is none of ours
			return false
		}
		return true
	})
	return path
}

// transportOf names what carries a connection to addr, or to the relay in it.
func transportOf(addr multiaddr.Multiaddr) string {
	name := ""
	multiaddr.ForEach(addr, func(part multiaddr.Component) bool {
		switch part.Protocol().Code {
		case multiaddr.P_CIRCUIT:
			return false
		case multiaddr.P_QUIC_V1:
			name = "quic"
		case multiaddr.P_TCP, multiaddr.P_WS, multiaddr.P_WSS, multiaddr.P_WEBTRANSPORT, multiaddr.P_WEBRTC_DIRECT:
			name = strings.TrimSuffix(part.Protocol().Name, "-direct")
		}
		return true
	})
	return name
}
