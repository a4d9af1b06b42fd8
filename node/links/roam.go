package links

import (
	"context"
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
	manet "github.com/multiformats/go-multiaddr/net"
	"golang.org/x/sync/errgroup"
)

// redials is how many peers are dialled at once after the own address changed.
const redials = 8

// CloseAll closes all connections of the host, because they no longer lead
// anywhere, or know an address that is no longer ours. Handlers hear of it as
// of any end.
func (l *Links) CloseAll(reason string) {
	conns := l.host.Network().Conns()
	logger.Debugw("closing all connections", "reason", reason, "connections", len(conns))
	var closing sync.WaitGroup
	for _, c := range conns {
		closing.Go(func() { _ = c.Close() }) // which may take a while on a dead one
	}
	closing.Wait()
}

// Reconnect is CloseAll, and then dials those who matter: relays that others
// reach us by, peers at public addresses, who tell where we are now, peers that
// somebody waits for, friends that were connected. It returns when all were tried.
func (l *Links) Reconnect(ctx context.Context, reason string) {
	back := l.missed()
	l.CloseAll(reason)
	var dials errgroup.Group
	dials.SetLimit(redials)
	for _, info := range back {
		dials.Go(func() error {
			l.forgetFailures(info.ID)
			if err := l.host.Connect(ctx, info); err != nil {
				logger.Debugw("not reconnected", "peer", info.ID, "err", err)
			}
			return nil
		})
	}
	_ = dials.Wait()
}

// missed are the peers to dial again, in order of need, and where they are now.
func (l *Links) missed() []peer.AddrInfo {
	l.mu.Lock()
	var relays, publics, waited, friends []peer.AddrInfo
	for id, n := range l.peers {
		info := peer.AddrInfo{ID: id}
		if n.used.dialled() {
			info.Addrs = append(info.Addrs, n.used.RemoteMultiaddr())
		}
		_, lean := l.leaned[id]
		_, wait := l.watched[n.key]
		switch {
		case lean:
			relays = append(relays, info)
		case n.used.dialled() && !n.used.path.Relayed && manet.IsPublicAddr(n.used.RemoteMultiaddr()):
			publics = append(publics, info)
		case n.up() && wait:
			waited = append(waited, info)
		case n.up() && n.friend:
			friends = append(friends, info)
		}
	}
	l.mu.Unlock()
	return slices.Concat(relays, publics, waited, friends)
}
