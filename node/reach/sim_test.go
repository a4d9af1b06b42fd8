package reach_test

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/integration/simnat"
	"github.com/tom-protocol/tom/integration/virtual"
	nodehost "github.com/tom-protocol/tom/node/host"
	"github.com/tom-protocol/tom/node/reach"
)

const hop = 20 * time.Millisecond

// internet is a simulated one, in virtual time.
type internet struct {
	*simnat.Internet
	t *testing.T
}

// onInternet runs f in a bubble of its own.
func onInternet(t *testing.T, f func(*testing.T, *internet)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := &internet{simnat.New(hop), t}
		t.Cleanup(in.Close)
		f(t, in)
	})
}

// machine is a host and who owns its reachability.
type machine struct {
	reach.Host
	*reach.Service
	t    *testing.T
	plug *simnat.Plug
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

// place says where a machine stands: at ip, behind a router or on the internet.
func (in *internet) place(ip string, behind *simnat.Router, cfg reach.Config) *machine {
	in.t.Helper()
	m := &machine{t: in.t, plug: in.Plug(ip, behind)}
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
		Dialled: m.Dialled, Symmetric: m.Symmetric, Punches: m.Service,
		QUIC: m.plug.QUIC(),
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
	var addrs []multiaddr.Multiaddr
	virtual.Until(m.t, within, time.Millisecond, "an address by a relay", func() bool {
		for _, a := range m.Addrs() {
			if throughRelay(a) {
				addrs = append(addrs, a)
			}
		}
		return len(addrs) > 0
	})
	return addrs
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
		virtual.Pass(time.Millisecond)
	}
	return 0
}
