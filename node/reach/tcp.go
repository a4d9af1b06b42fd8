package reach

import (
	"context"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/multiformats/go-multiaddr"
)

// tcpWait is how long a node behind a NAT has connections to several public peers
// by QUIC alone before one is exchanged for one by TCP. Peers whose network blocks
// UDP cannot be met before, so of several that are dialled within that time of the
// first, when none is connected yet, one is dialled by TCP at once.
const tcpWait = time.Second

// From one look at the connections to the next, if none is to be exchanged. It
// doubles, and begins anew with each peer that we dialled.
const (
	tcpPause    = time.Second
	tcpPauseMax = 5 * time.Minute
)

// tcpSearch says when to look for a connection to exchange.
type tcpSearch struct {
	done  bool // one was exchanged on this uplink
	next  time.Time
	pause time.Duration

	began time.Time // a public peer was dialled while none was connected
	dials int       // so many since then, that first one included
}

// second takes in that a public peer is dialled while none is connected, and says
// whether it is the second of several.
func (t *tcpSearch) second(now time.Time) bool {
	if now.Sub(t.began) >= tcpWait {
		t.began, t.dials = now, 0
	}
	t.dials++
	return t.dials == 2
}

// idle says when to look next, after nothing was found; ripe is when there may be
// something, zero if nobody knows.
func (t *tcpSearch) idle(now, ripe time.Time) {
	if t.next = ripe; ripe.IsZero() {
		t.pause = min(max(2*t.pause, tcpPause), tcpPauseMax)
		t.next = now.Add(t.pause)
	}
}

// outbound is a connection of ours to a public address.
type outbound struct {
	conn   network.Conn
	peer   peer.ID
	opened time.Time
	tcp    bool // it goes by TCP
	open   bool // its peer relays: it can be dialled by anybody, and so again
	offers bool // its peer listens on TCP
	relay  bool // its peer is a relay in use
	busy   bool // circuits go through it
}

// exchangeable picks the connection to exchange for one by TCP, so that somebody
// sees where our TCP comes from; without that no hole can be punched to a peer
// whose network blocks UDP. One of two or more is spared for it, a relay in use
// last. It picks none, or says from when on there may be one.
func exchangeable(now time.Time, conns []outbound) (pick *outbound, ripe time.Time) {
	if len(conns) < 2 || slices.ContainsFunc(conns, func(c outbound) bool { return c.tcp }) {
		return nil, time.Time{}
	}
	first := slices.MinFunc(conns, func(a, b outbound) int { return a.opened.Compare(b.opened) })
	if at := first.opened.Add(tcpWait); now.Before(at) {
		return nil, at // perhaps the next dial goes by TCP anyway
	}
	for i, c := range conns {
		if c.open && c.offers && !c.busy && (pick == nil || pick.relay && !c.relay) {
			pick = &conns[i]
		}
	}
	return pick, time.Time{}
}

// TCPFirst says that a connection to a public peer by TCP is wanted: the node is
// not public, and all public peers so far see only where its UDP comes from, or
// will: it is asked whenever a public peer is dialled.
func (s *Service) TCPFirst() bool {
	h := s.hostNow()
	if h == nil || h.Local || s.Public() {
		return false
	}
	some := false
	for _, c := range h.Network().Conns() {
		if !goesOut(c) {
			continue
		}
		if some = true; has(c.RemoteMultiaddr(), multiaddr.P_TCP) {
			return false
		}
	}
	if some {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tcp.second(time.Now())
}

// goesOut says that we made the connection, to a public address.
func goesOut(c network.Conn) bool {
	return c.Stat().Direction == network.DirOutbound && public(c.RemoteMultiaddr())
}

// outbound are the connections we made to public addresses.
func (s *Service) outbound(h *Host) (conns []outbound) {
	used := s.Relays()
	busy := make(map[peer.ID]bool)
	for _, c := range h.Network().Conns() {
		if relayed(c.RemoteMultiaddr()) {
			for _, id := range relaysOf([]multiaddr.Multiaddr{c.RemoteMultiaddr()}) {
				busy[id] = true
			}
		}
	}
	for _, c := range h.Network().Conns() {
		if !goesOut(c) {
			continue
		}
		id := c.RemotePeer()
		hop, err := h.Peerstore().SupportsProtocols(id, proto.ProtoIDv2Hop)
		conns = append(conns, outbound{
			conn: c, peer: id, opened: c.Stat().Opened, tcp: has(c.RemoteMultiaddr(), multiaddr.P_TCP),
			offers: slices.ContainsFunc(h.Peerstore().Addrs(id), func(a multiaddr.Multiaddr) bool { return public(a) && has(a, multiaddr.P_TCP) }),
			open:   err == nil && len(hop) > 0,
			relay:  slices.Contains(used, id),
			busy:   busy[id],
		})
	}
	return conns
}

// tcpDue exchanges one connection, once an uplink, when it is time to, and returns
// when it may be.
func (s *Service) tcpDue(ctx context.Context, now time.Time) time.Time {
	h := s.hostNow()
	s.mu.Lock()
	rests := s.tcp.done || s.verdict.Public || h.Local
	next := s.tcp.next
	s.mu.Unlock()
	switch {
	case rests:
		return time.Time{}
	case now.Before(next):
		return next
	}
	pick, ripe := exchangeable(now, s.outbound(h))
	done := pick != nil && s.spawn(func() { _ = s.exchange(ctx, h, pick.peer) })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tcp.done = done; done {
		return time.Time{}
	}
	s.tcp.idle(now, ripe)
	return s.tcp.next
}

// dialTime bounds the dial to a peer that was connected just now.
const dialTime = 3 * time.Second

// exchange closes the connection to a peer and makes another, for the peer to say
// where it comes from. TCPFirst has it go by TCP if none does.
func (s *Service) exchange(ctx context.Context, h *Host, id peer.ID) error {
	_ = h.Network().ClosePeer(id)
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	err := h.Connect(ctx, peer.AddrInfo{ID: id})
	logger.Debugw("connected anew, to be seen", "peer", id, "err", err)
	return err
}
