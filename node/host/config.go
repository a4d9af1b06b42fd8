package host

import (
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/prometheus/client_golang/prometheus"
)

// Config describes a host. Only Key is needed.
type Config struct {
	Key crypto.PrivKey

	// Listen holds the multiaddrs to listen on; empty: QUIC and TCP on every
	// interface, on loopback only if Local. A port of 0 stands for Port.
	// WebTransport, WebRTC-direct and WebSocket listen where they are named.
	Listen []string

	// Port is the port to use if it is free; 0: choose one.
	Port int

	// Local keeps to this machine: loopback only, and nothing that looks for
	// the outside. A host that is given only loopback addresses is local.
	Local bool

	NoPortMap bool // do not ask the router for a port

	// Reachability is what holds until the owner of the reachability event, who
	// emits it on the host's bus, says otherwise: public or private; unknown
	// counts as private. While it is private the host keeps reservations with
	// relays.
	Reachability network.Reachability

	// RelaySource offers at most n relays to reserve with, the best first, and
	// closes the channel. It is asked again and again while relays are missing.
	// Nil: no reservations.
	RelaySource func(ctx context.Context, n int) <-chan peer.AddrInfo

	// Advertise picks among the host's addresses those to tell others; nil: all.
	// It must be fast, and must not ask the host.
	Advertise func([]multiaddr.Multiaddr) []multiaddr.Multiaddr

	// TCPFirst says that the next public peer should rather be dialled by TCP than
	// by QUIC; nil: never. A hole for TCP can be punched only while somebody sees
	// where a TCP connection of ours comes from.
	TCPFirst func() bool

	// Dialled hears of every address before something is sent to it; nil: nobody
	// does. It must be fast.
	Dialled func(multiaddr.Multiaddr)

	// Symmetric says that a router gives each UDP connection of this host, by IPv4
	// or by IPv6, another port; nil: none does. Such a host dials in each punch,
	// for nobody can dial it.
	Symmetric func(v6 bool) bool

	// Punches hears how the punching of holes goes; nil: nobody does.
	Punches holepunch.EventTracer

	// FewConns is to how many connections the connection manager goes back when
	// there are more than ManyConns; 128 and 192 if zero, a third of it with LowMemory.
	FewConns, ManyConns int

	// LowMemory has the host keep fewer connections, and hold less for its peers.
	LowMemory bool

	UserAgent  string                // what identify tells about the program
	Registerer prometheus.Registerer // for the metrics of libp2p; nil: none are kept
	Options    []libp2p.Option       // applied last
	QUIC       []quicreuse.Option    // same, for QUIC's sockets

	puncher *puncher // nil for a local host
	portMap *portMap // nil: routers are not asked
}

// Info says what became of a Config.
type Info struct {
	Port      int  // the port in use, for the next start
	PortTaken bool // Config.Port was taken: Port is another, for this run
	Local     bool // the host keeps to this machine
	FewConns  int  // to how many connections the connection manager goes back

	// Punch tries for a direct connection to a peer that is connected by a
	// circuit, for a few seconds. libp2p does so by itself once for each circuit
	// that comes in. Nil for a local host.
	Punch func(peer.ID) error

	// Mapped are the addresses that a router gave. Nil: none is asked.
	Mapped func() []multiaddr.Multiaddr
}

// ErrNotLocal is returned for a local host with an address of the outside.
var ErrNotLocal = errors.New("a local host listens on loopback addresses only")

// listen returns the multiaddrs to listen on, as templates with port 0.
func (c *Config) listen() (addrs []multiaddr.Multiaddr, local bool, err error) {
	texts := c.Listen
	if len(texts) == 0 {
		texts = defaultListen(c.Local)
	}
	local = true
	for _, s := range texts {
		a, err := multiaddr.NewMultiaddr(s)
		if err != nil {
			return nil, false, fmt.Errorf("listen address %q: %w", s, err)
		}
		if !manet.IsIPLoopback(a) {
			local = false
			if c.Local {
				return nil, false, fmt.Errorf("listen address %q: %w", s, ErrNotLocal)
			}
		}
		addrs = append(addrs, a)
	}
	return addrs, local, nil
}

func defaultListen(local bool) []string {
	if local {
		return []string{
			"/ip4/127.0.0.1/udp/0/quic-v1", "/ip6/::1/udp/0/quic-v1",
			"/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0",
		}
	}
	return []string{
		"/ip4/0.0.0.0/udp/0/quic-v1", "/ip6/::/udp/0/quic-v1",
		"/ip4/0.0.0.0/tcp/0", "/ip6/::/tcp/0",
	}
}

// uses says that one of addrs speaks the protocol.
func uses(addrs []multiaddr.Multiaddr, code int) bool {
	for _, a := range addrs {
		if _, err := a.ValueForProtocol(code); err == nil {
			return true
		}
	}
	return false
}
