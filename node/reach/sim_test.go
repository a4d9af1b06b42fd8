package reach_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/marcopolo/simnet"
	"github.com/multiformats/go-multiaddr"

	nodehost "github.com/tom-protocol/tom/node/host"
	"github.com/tom-protocol/tom/node/reach"
)

// internet is a simulated one, in virtual time: a packet takes 20 ms.
type internet struct {
	t      *testing.T
	router simnet.VariableLatencyRouter
	ports  atomic.Int32
}

const hop = 20 * time.Millisecond

// onInternet runs f in a bubble of its own.
func onInternet(t *testing.T, f func(*testing.T, *internet)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := &internet{t: t}
		in.router.LatencyFunc = func(*simnet.Packet) time.Duration { return hop }
		in.router.OnDrop = func(*simnet.Packet, simnet.DropReason) {}
		stop := make(chan struct{})
		in.router.CloseSignal = stop
		var running sync.WaitGroup
		in.router.Start(&running)
		t.Cleanup(func() { close(stop); running.Wait() })
		f(t, in)
	})
}

// router is a NAT box. One that is symmetric takes another port for each
// destination, one that is full lets everybody in where something went out.
type router struct {
	in              *internet
	ip              net.IP
	symmetric, full bool

	deaf atomic.Bool // lets in nobody but the public nodes

	mu    sync.Mutex
	byIn  map[string]*mapping
	taken map[int]bool
	inner map[string]*simnet.SimConn
}

// mapping is a port that a router has opened.
type mapping struct {
	router      *router
	public, own *net.UDPAddr
	spoken      map[string]bool
}

func (in *internet) newRouter(ip string) *router {
	return &router{in: in, ip: net.ParseIP(ip).To16(), byIn: make(map[string]*mapping), taken: make(map[int]bool), inner: make(map[string]*simnet.SimConn)}
}

// RecvPacket takes a packet of a machine behind the router.
func (r *router) RecvPacket(p *simnet.Packet) {
	r.mu.Lock()
	if neighbour := r.inner[p.To.String()]; neighbour != nil {
		r.mu.Unlock()
		neighbour.RecvPacket(p)
		return
	}
	key := p.From.String()
	if r.symmetric {
		key += ">" + p.To.String()
	}
	m := r.byIn[key]
	if m == nil {
		own := p.From.(*net.UDPAddr)
		port := own.Port
		if r.symmetric || r.taken[port] {
			port = int(r.in.ports.Add(1)) + 20_000
		}
		m = &mapping{router: r, own: own, public: &net.UDPAddr{IP: r.ip, Port: port}, spoken: make(map[string]bool)}
		r.byIn[key] = m
		r.taken[port] = true
		r.in.router.AddNode(m.public, m)
	}
	m.spoken[p.To.String()] = true
	r.mu.Unlock()
	p.From = m.public
	r.in.router.RecvPacket(p)
}

// RecvPacket takes a packet from outside to an open port.
func (m *mapping) RecvPacket(p *simnet.Packet) {
	m.router.mu.Lock()
	ok := m.router.full || m.spoken[p.From.String()]
	if m.router.deaf.Load() && !strings.HasPrefix(p.From.String(), "1.0.0.") {
		ok = false
	}
	to := m.router.inner[m.own.String()]
	m.router.mu.Unlock()
	if ok && to != nil {
		p.To = m.own
		to.RecvPacket(p)
	}
}

// machine is a host and who owns its reachability.
type machine struct {
	reach.Host
	*reach.Service
	t      *testing.T
	ip     net.IP
	socket *simnet.SimConn // the one it listens on
}

// reconnect is what a node does when it has moved.
func (m *machine) reconnect(ctx context.Context) {
	peers := m.Network().Peers()
	for _, id := range peers {
		_ = m.Network().ClosePeer(id)
	}
	var dials sync.WaitGroup
	for _, id := range peers {
		dials.Go(func() { _ = m.Connect(ctx, peer.AddrInfo{ID: id}) })
	}
	dials.Wait()
}

// move puts the machine behind another router, cable and all.
func (m *machine) move(to *router) {
	to.mu.Lock()
	to.inner[m.socket.LocalAddr().String()] = m.socket
	to.mu.Unlock()
	m.socket.SetUpPacketReceiver(to)
}

// place says where a machine stands: at ip, behind a router or on the internet.
func (in *internet) place(ip string, behind *router, cfg reach.Config) *machine {
	in.t.Helper()
	m := &machine{t: in.t, ip: net.ParseIP(ip).To16()}
	if cfg.Uplink == nil {
		a := netip.MustParseAddr(ip)
		cfg.Uplink = func() reach.Uplink {
			return reach.Uplink{V4: a, Nets: []netip.Prefix{netip.PrefixFrom(a, 24)}}
		}
	}
	cfg.Reconnect = m.reconnect
	m.Service = reach.New(cfg)
	key, _, err := crypto.GenerateKeyPair(crypto.Ed25519, 0)
	if err != nil {
		in.t.Fatal(err)
	}
	h, info, err := nodehost.New(nodehost.Config{
		Key: key, Listen: []string{fmt.Sprintf("/ip4/%s/udp/4001/quic-v1", ip)}, NoPortMap: true,
		Reachability: m.First(), RelaySource: m.Source, Advertise: m.Advertise, TCPFirst: m.TCPFirst,
		QUIC: []quicreuse.Option{
			quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return m, nil }),
			quicreuse.OverrideListenUDP(func(_ string, at *net.UDPAddr) (net.PacketConn, error) {
				c := in.socket(m.ip, at.Port, behind)
				if at.Port != 0 {
					m.socket = c
				}
				return c, nil
			}),
		},
	})
	if err != nil {
		in.t.Fatal(err)
	}
	m.Host = reach.Host{Host: h, Local: info.Local, Punch: info.Punch}
	if err := m.Bind(m.Host); err != nil {
		in.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	in.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			in.t.Errorf("run: %v", err)
		}
		_ = h.Close()
	})
	h.SetStreamHandler("/echo", func(s network.Stream) {
		_, _ = io.Copy(s, s)
		_ = s.Close()
	})
	return m
}

// PreferredSourceIPForDestination is the address the machine sends from.
func (m *machine) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) { return m.ip, nil }

func (in *internet) socket(ip net.IP, port int, behind *router) *simnet.SimConn {
	if port == 0 {
		port = int(in.ports.Add(1)) + 10_000
	}
	at := &net.UDPAddr{IP: ip, Port: port}
	c := simnet.NewBlockingSimConn(at)
	if behind == nil {
		c.SetUpPacketReceiver(&in.router)
		in.router.AddNode(at, c)
		return c
	}
	behind.mu.Lock()
	behind.inner[at.String()] = c
	behind.mu.Unlock()
	c.SetUpPacketReceiver(behind)
	return c
}

// publics are n nodes that are vouched for and relay.
func (in *internet) publics(n int) []peer.AddrInfo {
	var infos []peer.AddrInfo
	for i := range n {
		m := in.place(fmt.Sprintf("1.0.0.%d", i+1), nil, reach.Config{Vouch: reach.Public})
		if err := m.Serve(true); err != nil {
			in.t.Fatal(err)
		}
		infos = append(infos, peer.AddrInfo{ID: m.ID(), Addrs: m.Addrs()})
	}
	return infos
}

func known(relays []peer.AddrInfo) func(int) []peer.AddrInfo {
	return func(n int) []peer.AddrInfo { return relays[:min(n, len(relays))] }
}

// circuits waits until the machine can be reached by a relay.
func (m *machine) circuits(within time.Duration) []multiaddr.Multiaddr {
	m.t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(time.Millisecond) {
		var addrs []multiaddr.Multiaddr
		for _, a := range m.Addrs() {
			if throughRelay(a) {
				addrs = append(addrs, a)
			}
		}
		if len(addrs) > 0 {
			return addrs
		}
	}
	m.t.Fatalf("no relay address after %v; advertises %v", within, m.Addrs())
	return nil
}

func throughRelay(a multiaddr.Multiaddr) bool { return strings.Contains(a.String(), "p2p-circuit") }

// dial connects to another machine at the addresses it advertises.
func (m *machine) dial(to *machine) {
	m.t.Helper()
	m.dialAt(to, to.Addrs())
}

func (m *machine) dialAt(to *machine, addrs []multiaddr.Multiaddr) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(network.WithAllowLimitedConn(m.t.Context(), "test"), 10*time.Second)
	defer cancel()
	if err := m.Connect(ctx, peer.AddrInfo{ID: to.ID(), Addrs: addrs}); err != nil {
		m.t.Fatalf("dial: %v", err)
	}
}

// direct waits for a direct connection, and returns how long it took; zero: none.
func (m *machine) direct(to *machine, within time.Duration) time.Duration {
	begun := time.Now()
	for time.Since(begun) < within {
		for _, c := range m.Network().ConnsToPeer(to.ID()) {
			if !throughRelay(c.RemoteMultiaddr()) {
				return max(time.Since(begun), 1)
			}
		}
		time.Sleep(time.Millisecond)
	}
	return 0
}
