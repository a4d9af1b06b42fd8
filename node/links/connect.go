package links

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/identity"
)

// Connect dials p at the addresses the host and Config.Addrs know, and a moment
// later, or at once if there are none, at those that Config.Find finds. It
// returns nil as soon as one connection stands, direct or relayed, or if p is
// connected already, and ErrForeign if it can be reached but speaks none of our
// protocols. Before Run it waits for it.
func (l *Links) Connect(ctx context.Context, p Peer) error {
	info := peer.AddrInfo{ID: identity.PeerIDOf(p)}
	l.forgetFailures(info.ID) // who calls keeps to a backoff of its own
	if l.cfg.Addrs != nil {
		info.Addrs = l.cfg.Addrs(p)
	}
	return l.connect(ctx, p, info)
}

// ConnectAddr is Connect with addresses at hand. If p is connected and an
// address is new, the connection may be left from before p moved there: it is
// tested first. If p is connected only through relays, the address may be that
// of a shorter way: it is dialled.
func (l *Links) ConnectAddr(ctx context.Context, info peer.AddrInfo) error {
	key, err := identity.KeyOf(info.ID)
	if err != nil {
		return err
	}
	anew := l.hasNew(info)
	if anew && l.Connected(key) {
		l.Probe(ctx, key)
	}
	l.forgetFailures(info.ID) // somebody has just told us where it is
	if anew && l.Connected(key) && !l.Direct(key) {
		_ = l.host.Connect(network.WithForceDirectDial(ctx, "shorter way"), info) // or it stays relayed
		return nil
	}
	return l.connect(ctx, key, info)
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

func (l *Links) connect(ctx context.Context, p Peer, info peer.AddrInfo) error {
	select {
	case <-l.started:
	case <-ctx.Done():
		return ctx.Err()
	}
	if n := l.neighbour(info.ID); n != nil {
		return n.await(ctx)
	}
	if err := l.race(ctx, p, info); err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	l.noteProtocols(info.ID) // the host has identified the peer by now
	if n := l.neighbour(info.ID); n != nil {
		return n.await(ctx)
	}
	return ErrNotConnected // gone again
}

// neighbour is a peer that is connected, or nil.
func (l *Links) neighbour(id peer.ID) *neighbour {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.peers[id]
}

// findDelay is how long known addresses are dialled before others are sought.
const findDelay = 200 * time.Millisecond

// race dials at known addresses and at those that are found, until one of the
// two connects or both have failed.
func (l *Links) race(ctx context.Context, p Peer, info peer.AddrInfo) error {
	if l.cfg.Find == nil {
		return l.host.Connect(ctx, info)
	}
	var dials sync.WaitGroup
	defer dials.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	delay, ways := findDelay, 2
	if len(info.Addrs) == 0 && len(l.host.Peerstore().Addrs(info.ID)) == 0 {
		delay, ways = 0, 1
	}
	ended := make(chan error, ways)
	missed := make(chan struct{}) // the known addresses have failed
	if ways == 2 {
		dials.Go(func() {
			err := l.host.Connect(ctx, info)
			if err != nil {
				close(missed)
			}
			ended <- err
		})
	}
	dials.Go(func() { ended <- l.findAndDial(ctx, p, delay, missed) })
	var errs []error
	for range ways {
		err := <-ended
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// findAndDial looks for p elsewhere, after a delay or once hurry is closed, and
// dials what it finds.
func (l *Links) findAndDial(ctx context.Context, p Peer, delay time.Duration, hurry <-chan struct{}) error {
	wait := time.NewTimer(delay)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-hurry:
	case <-ctx.Done():
		return ctx.Err()
	}
	addrs, err := l.cfg.Find(ctx, p)
	if err != nil {
		return fmt.Errorf("find: %w", err)
	}
	if len(addrs) == 0 {
		return errNowhere
	}
	return l.host.Connect(ctx, peer.AddrInfo{ID: identity.PeerIDOf(p), Addrs: addrs})
}

var errNowhere = errors.New("no address of the peer was found")

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

// Direct says that p is up, and not through a relay.
func (l *Links) Direct(p Peer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.peers[identity.PeerIDOf(p)]
	return n != nil && n.up() && !n.used.path.Relayed
}
