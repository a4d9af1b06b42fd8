package links

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/identity"
)

// Connect dials p at the addresses the host and Config.Addrs know. It returns
// nil if p is connected already, and ErrForeign if it can be reached but speaks
// none of our protocols. Before Run it waits for it.
func (l *Links) Connect(ctx context.Context, p Peer) error {
	info := peer.AddrInfo{ID: identity.PeerIDOf(p)}
	l.forgetFailures(info.ID) // who calls keeps to a backoff of its own
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
	l.forgetFailures(info.ID) // somebody has just told us where it is
	return l.connect(ctx, info)
}

// forgetFailures lets a peer be dialled that libp2p would let rest.
func (l *Links) forgetFailures(id peer.ID) {
	if b, ok := l.host.Network().(interface{ Backoff() *swarm.DialBackoff }); ok {
		b.Backoff().Clear(id)
	}
}

// hasNew says that info holds an address the host has not heard of.
func (l *Links) hasNew(info peer.AddrInfo) bool {
	known := l.host.Peerstore().Addrs(info.ID)
	return slices.ContainsFunc(info.Addrs, func(a multiaddr.Multiaddr) bool {
		return !slices.ContainsFunc(known, a.Equal)
	})
}

func (l *Links) connect(ctx context.Context, info peer.AddrInfo) error {
	select {
	case <-l.started:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := l.host.Connect(ctx, info); err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	l.noteProtocols(info.ID) // the host has identified the peer by now
	l.mu.Lock()
	n := l.peers[info.ID]
	l.mu.Unlock()
	if n == nil {
		return ErrNotConnected // gone again
	}
	return n.await(ctx)
}

// introduction is how long a peer that is connected may take to show that it
// speaks our protocols: it may have just started, and not got so far.
const introduction = 3 * time.Second

func (n *neighbour) await(ctx context.Context) error {
	late := time.NewTimer(introduction)
	defer late.Stop()
	select {
	case <-n.ready:
		return nil
	case <-late.C:
		return ErrForeign
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Connected says that p is up: Handlers.Up was called for it, or is about to be.
func (l *Links) Connected(p Peer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.peers[identity.PeerIDOf(p)]
	return n != nil && n.up()
}
