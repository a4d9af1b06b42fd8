package links

import (
	"context"
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/identity"
)

// Connect dials p at the addresses the host and Config.Addrs know. It returns
// nil if p is connected already, and ErrForeign if it can be reached but speaks
// none of our protocols.
func (l *Links) Connect(ctx context.Context, p Peer) error {
	info := peer.AddrInfo{ID: identity.PeerIDOf(p)}
	if l.cfg.Addrs != nil {
		info.Addrs = l.cfg.Addrs(p)
	}
	return l.connect(ctx, info)
}

// ConnectAddr is Connect with addresses at hand. If p is connected and an
// address is new, the connection may be left from before p moved there: it is
// tested first.
func (l *Links) ConnectAddr(ctx context.Context, info peer.AddrInfo) error {
	key, err := identity.KeyOf(info.ID)
	if err != nil {
		return err
	}
	if l.Connected(key) && l.hasNew(info) {
		l.Probe(ctx, key)
	}
	if b, ok := l.host.Network().(interface{ Backoff() *swarm.DialBackoff }); ok {
		b.Backoff().Clear(info.ID) // somebody has just told us where it is
	}
	return l.connect(ctx, info)
}

// hasNew says that info holds an address the host has not heard of.
func (l *Links) hasNew(info peer.AddrInfo) bool {
	known := l.host.Peerstore().Addrs(info.ID)
	return slices.ContainsFunc(info.Addrs, func(a multiaddr.Multiaddr) bool {
		return !slices.ContainsFunc(known, a.Equal)
	})
}

func (l *Links) connect(ctx context.Context, info peer.AddrInfo) error {
	if err := l.host.Connect(ctx, info); err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	// The host has identified the peer by now.
	l.noteProtocols(info.ID)
	l.mu.Lock()
	n := l.peers[info.ID]
	up := n != nil && n.up()
	l.mu.Unlock()
	if up {
		return nil
	}
	if spoken, err := l.host.Peerstore().GetProtocols(info.ID); err == nil && len(spoken) > 0 {
		return ErrForeign
	}
	return nil
}

// Connected says that p is up: Handlers.Up was called for it, or is about to be.
func (l *Links) Connected(p Peer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.peers[identity.PeerIDOf(p)]
	return n != nil && n.up()
}
