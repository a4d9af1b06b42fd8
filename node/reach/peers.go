package reach

import (
	"context"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// identified takes in what a peer said of itself and of us.
func (s *Service) identified(ctx context.Context, e event.EvtPeerIdentificationCompleted) {
	if e.Conn == nil || e.Conn.IsClosed() {
		return
	}
	remote := e.Conn.RemoteMultiaddr()
	if relayed(remote) {
		s.meet(ctx, e.Peer, e.ListenAddrs)
		if e.Conn.Stat().Direction == network.DirInbound {
			s.cameRelayed(e.Peer)
			s.planPunch(e.Peer, punchAfter[0])
		}
		return
	}
	if e.Conn.Stat().Direction != network.DirOutbound || e.ObservedAddr == nil {
		return
	}
	s.mu.Lock()
	s.tcp.next, s.tcp.pause = time.Time{}, 0
	s.seen.add(e.Conn.ID(), e.Conn.LocalMultiaddr(), remote, e.ObservedAddr)
	moved := time.Now().Before(s.stale.looking) && s.seen.moved(e.Conn.ID())
	if moved {
		s.stale = staleness{}
		clear(s.offered)
	}
	s.mu.Unlock()
	if moved {
		logger.Infow("our address is another, by what peers see", "now", e.ObservedAddr)
		s.tasks.Go(func() { s.roam(ctx) })
	}
	if e.Conn.IsClosed() { // between the first look and now
		s.forget(e.Conn)
	}
}

// forget drops what was seen by way of a connection. If it was the direct one to
// a peer that has come by a circuit since, it was what kept a hole from being
// punched.
func (s *Service) forget(c network.Conn) {
	s.mu.Lock()
	delete(s.seen, c.ID())
	h := s.host
	s.mu.Unlock()
	if id := c.RemotePeer(); !relayed(c.RemoteMultiaddr()) && cameByCircuit(h, id) && !isDirect(h, id) {
		s.planPunch(id, 0)
	}
}

func cameByCircuit(h *Host, id peer.ID) bool {
	return slices.ContainsFunc(h.Network().ConnsToPeer(id), func(c network.Conn) bool {
		return relayed(c.RemoteMultiaddr()) && c.Stat().Direction == network.DirInbound && !c.IsClosed()
	})
}

const (
	lanDial  = 1500 * time.Millisecond
	lanAddrs = 4 // tried at most
)

// meet dials the peer at the other end of a circuit in the own LAN, if it says it
// is there. libp2p keeps private addresses out of all that goes by circuits.
func (s *Service) meet(ctx context.Context, id peer.ID, theirs []multiaddr.Multiaddr) {
	h := s.hostNow()
	s.mu.Lock()
	addrs := inLAN(s.uplink, theirs)
	s.mu.Unlock()
	if len(addrs) == 0 || isDirect(h, id) {
		return
	}
	s.spawn(func() {
		ctx, cancel := context.WithTimeout(network.WithForceDirectDial(ctx, "one LAN"), lanDial)
		defer cancel()
		err := h.Connect(ctx, peer.AddrInfo{ID: id, Addrs: addrs})
		logger.Debugw("met in the LAN", "peer", id, "err", err)
	})
}

// inLAN picks the addresses that lie in a private network of this machine's. The
// same numbers may mean another house: then the dial comes to nothing, or to
// somebody who cannot show the peer's key.
func inLAN(u Uplink, theirs []multiaddr.Multiaddr) []multiaddr.Multiaddr {
	var picked []multiaddr.Multiaddr
	for _, a := range theirs {
		at, _, ok := endpoint(a)
		if ok && len(picked) < lanAddrs && manet.IsPrivateAddr(a) && !at.Addr().IsLoopback() && u.Neighbour(at.Addr()) && !u.Holds(at.Addr()) {
			picked = append(picked, a)
		}
	}
	return picked
}

// isDirect says that a direct connection to a peer is up.
func isDirect(h *Host, id peer.ID) bool {
	for _, c := range h.Network().ConnsToPeer(id) {
		if !relayed(c.RemoteMultiaddr()) && !c.IsClosed() {
			return true
		}
	}
	return false
}
