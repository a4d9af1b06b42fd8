package reach

import (
	"context"
	"fmt"
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
			s.planPunch(e.Peer)
		}
		return
	}
	if e.Conn.Stat().Direction != network.DirOutbound || e.ObservedAddr == nil {
		return
	}
	s.mu.Lock()
	s.seen.add(e.Conn.ID(), e.Conn.LocalMultiaddr(), remote, e.ObservedAddr)
	s.mu.Unlock()
	if e.Conn.IsClosed() { // between the first look and now
		s.forget(e.Conn)
	}
}

// forget drops what was seen by way of a connection.
func (s *Service) forget(c network.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, c.ID())
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

// circuit is a peer that came by a circuit and is to be met by a hole.
type circuit struct {
	tries int
	due   time.Time
}

type punches map[peer.ID]circuit

// punchAfter are the times from one attempt to the next. The first comes from
// libp2p, as soon as the circuit stands; after the last, this circuit stays what
// it is.
var punchAfter = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 20 * time.Minute}

func (s *Service) planPunch(id peer.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, planned := s.punches[id]; !planned && s.host.Punch != nil {
		s.punches[id] = circuit{due: time.Now().Add(punchAfter[0])}
	}
}

// punchDue punches where it is due, and returns when it will be next. Behind a
// symmetric NAT it is not tried again: only luck would help.
func (s *Service) punchDue(ctx context.Context, now time.Time) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, c := range s.punches {
		if !now.Before(c.due) {
			if s.hopeless() || isDirect(s.host, id) || !s.punchNow(ctx, id) {
				delete(s.punches, id)
				continue
			}
			c.tries++
			if c.tries >= len(punchAfter) {
				delete(s.punches, id)
				continue
			}
			c.due = now.Add(punchAfter[c.tries])
			s.punches[id] = c
		}
		if next.IsZero() || c.due.Before(next) {
			next = c.due
		}
	}
	return next
}

func (s *Service) punchNow(ctx context.Context, id peer.ID) bool {
	punch := s.host.Punch
	return ctx.Err() == nil && s.spawn(func() {
		err := punch(id)
		logger.Debugw("punched again", "peer", id, "err", err)
	})
}

// hopeless says that each connection of ours gets another port. mu is held.
func (s *Service) hopeless() bool {
	return s.seen.mapping(false, false, s.uplink.Holds) == MappingDependent &&
		s.seen.mapping(true, false, s.uplink.Holds) != MappingIndependent
}

// tcpWait is how long a node behind a NAT has connections to several public peers
// by QUIC alone before one is exchanged for one by TCP.
const tcpWait = 5 * time.Second

// TCPFirst says that a connection to a public peer by TCP is wanted: the node is
// not public, and all public peers so far see only where its UDP comes from.
func (s *Service) TCPFirst() bool {
	h := s.hostNow()
	if h == nil || h.Local || s.Public() {
		return false
	}
	quic, tcp := s.byTransport(h)
	return len(tcp) == 0 && len(quic) > 0
}

// byTransport are the connections we made to public addresses.
func (s *Service) byTransport(h *Host) (quic, tcp []network.Conn) {
	for _, c := range h.Network().Conns() {
		a := c.RemoteMultiaddr()
		switch {
		case c.Stat().Direction != network.DirOutbound || !public(a):
		case has(a, multiaddr.P_TCP):
			tcp = append(tcp, c)
		default:
			quic = append(quic, c)
		}
	}
	return quic, tcp
}

// tcpDue exchanges one connection, once an uplink, when it is time to. It takes
// one of a peer that is no relay in use, and only if that peer listens on TCP.
func (s *Service) tcpDue(ctx context.Context, now time.Time) (next time.Time) {
	h := s.hostNow()
	s.mu.Lock()
	if s.tcpTried || s.verdict.Public || h.Local {
		s.mu.Unlock()
		return time.Time{}
	}
	inUse := relaysOf(s.advert.circuits)
	s.mu.Unlock()
	quic, tcp := s.byTransport(h)
	if len(tcp) > 0 || len(quic) < 2 {
		return time.Time{} // a new connection comes by here again
	}
	var pick network.Conn
	for _, c := range quic {
		if ripe := c.Stat().Opened.Add(tcpWait); now.Before(ripe) {
			return ripe
		}
		if listensOnTCP(h, c.RemotePeer()) && (pick == nil || slices.Contains(inUse, pick.RemotePeer())) {
			pick = c
		}
	}
	if pick == nil {
		return time.Time{}
	}
	s.mu.Lock()
	s.tcpTried = true
	s.mu.Unlock()
	s.spawn(func() { s.exchange(ctx, h, pick) })
	return time.Time{}
}

// exchange closes a connection and makes another to the same peer, which TCPFirst
// has go by TCP.
func (s *Service) exchange(ctx context.Context, h *Host, c network.Conn) {
	id := c.RemotePeer()
	_ = h.Network().ClosePeer(id)
	err := s.connect(ctx, h, peer.AddrInfo{ID: id})
	logger.Debugw("a connection by TCP, to be seen", "peer", id, "err", err)
}

func listensOnTCP(h *Host, id peer.ID) bool {
	for _, a := range h.Peerstore().Addrs(id) {
		if public(a) && has(a, multiaddr.P_TCP) {
			return true
		}
	}
	return false
}

// dialTime bounds one attempt to connect to a peer again.
const dialTime = 10 * time.Second

func (s *Service) connect(ctx context.Context, h *Host, info peer.AddrInfo) error {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	if s.cfg.Connect != nil {
		return s.cfg.Connect(ctx, info)
	}
	if err := h.Connect(ctx, info); err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	return nil
}
