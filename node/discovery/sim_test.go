package discovery

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"
	manet "github.com/multiformats/go-multiaddr/net"
)

// sim is a simulated network of hosts at 10.0.x.y.
type sim struct {
	t    *testing.T
	net  *simnet.Simnet
	gone sync.Map // IP addresses of hosts that nothing reaches any more
}

// vanish cuts a host off, as when its battery is empty: nobody is told.
func (s *sim) vanish(h host.Host) {
	ip, err := manet.ToIP(h.Addrs()[0])
	if err != nil {
		s.t.Fatal(err)
	}
	s.gone.Store(ip.String(), true)
}

func (s *sim) latency(p *simnet.Packet) time.Duration {
	for _, end := range []net.Addr{p.From, p.To} {
		if _, gone := s.gone.Load(end.(*net.UDPAddr).IP.String()); gone {
			return 24 * time.Hour
		}
	}
	return 10 * time.Millisecond
}

// inSim runs f in virtual time.
func inSim(t *testing.T, f func(t *testing.T, s *sim)) {
	t.Parallel()
	inSimNow(t, f)
}

func inSimNow(t *testing.T, f func(t *testing.T, s *sim)) {
	synctest.Test(t, func(t *testing.T) {
		s := &sim{t: t}
		s.net = &simnet.Simnet{
			LatencyFunc: s.latency,
			Logger:      slog.New(slog.DiscardHandler),
		}
		s.net.Start()
		t.Cleanup(s.net.Close)
		f(t, s)
	})
}

// host is a bare host.
func (s *sim) host(n int) host.Host {
	s.t.Helper()
	wire := simnet.LinkSettings{BitsPerSecond: 100 * simlibp2p.OneMbps}
	h, err := libp2p.New(
		libp2p.ListenAddrStrings(fmt.Sprintf("/ip4/10.0.%d.%d/udp/8000/quic-v1", n/250, n%250+1)),
		simlibp2p.QUICSimnet(s.net, simnet.NodeBiDiLinkSettings{Downlink: wire, Uplink: wire}),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableIdentifyAddressDiscovery(), libp2p.DisableRelay(), libp2p.DisableMetrics(),
		libp2p.ForceReachabilityPrivate(),
	)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = h.Close() })
	return h
}

// runs runs a source until the test ends or stop is called.
func (s *sim) runs(src Source) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := src.Run(ctx, func(peer.AddrInfo) {}); err != nil {
			s.t.Errorf("%s: %v", src.Name(), err)
		}
	})
	stop = func() { cancel(); done.Wait() }
	s.t.Cleanup(stop)
	return stop
}

func infoOf(h host.Host) peer.AddrInfo { return peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()} }

func (s *sim) connect(from, to host.Host) {
	s.t.Helper()
	if err := from.Connect(s.t.Context(), infoOf(to)); err != nil {
		s.t.Fatal(err)
	}
}
