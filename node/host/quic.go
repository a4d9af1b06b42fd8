package host

import (
	"context"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/pnet"
	"github.com/libp2p/go-libp2p/core/transport"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/multiformats/go-multiaddr"
)

// punchedQUIC is libp2p's QUIC, but for the part it takes in a punch.
//
// libp2p has the end that a circuit came to wait for the other's dial, and only
// send what opens its own router; it dials in the last of three tries alone. But
// behind a symmetric NAT it waits in vain: the other knows only the ports of other
// connections. So there it dials each time, and gets through if the other's router
// lets in any port of a host that was spoken to (full or address-restricted cone).
// The other's dial comes to nothing as before.
type punchedQUIC struct {
	transport.Transport
	symmetric func(v6 bool) bool // nil: never
}

// newQUIC returns the constructor that libp2p fills in.
func newQUIC(symmetric func(v6 bool) bool) any {
	return func(k crypto.PrivKey, conns *quicreuse.ConnManager, psk pnet.PSK, gater connmgr.ConnectionGater, rm network.ResourceManager) (*punchedQUIC, error) {
		t, err := quic.NewTransport(k, conns, psk, gater, rm)
		if err != nil {
			return nil, err
		}
		return &punchedQUIC{t, symmetric}, nil
	}
}

// Dial dials an address, or waits for its peer to dial.
func (t *punchedQUIC) Dial(ctx context.Context, to multiaddr.Multiaddr, p peer.ID) (transport.CapableConn, error) {
	return t.Transport.Dial(t.part(ctx, to), to, p)
}

// part is the part to take in a punch.
func (t *punchedQUIC) part(ctx context.Context, to multiaddr.Multiaddr) context.Context {
	punch, isClient, reason := network.GetSimultaneousConnect(ctx)
	if !punch || isClient || t.symmetric == nil {
		return ctx
	}
	if _, err := to.ValueForProtocol(multiaddr.P_IP6); t.symmetric(err == nil) {
		return network.WithSimultaneousConnect(ctx, true, reason)
	}
	return ctx
}

// ListenOrder has the swarm listen by QUIC before it does by WebTransport, on the
// same socket.
func (t *punchedQUIC) ListenOrder() int { return quic.ListenOrder }

// String is what the logs say.
func (t *punchedQUIC) String() string { return "QUIC" }
