package internet

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/marcopolo/simnet"
	"github.com/quic-go/quic-go"
	"go.uber.org/fx"
)

// Hop is how long a packet takes from any host to any other.
const Hop = 20 * time.Millisecond

// Ports that nobody asked for by number are handed out from here.
const (
	firstEphemeral  = 10_000
	firstTranslated = 20_000
)

// Internet joins public addresses. Where a host is cut off, its packets are lost
// without a word.
type Internet struct {
	router simnet.VariableLatencyRouter
	ports  atomic.Int32

	mu   sync.Mutex
	dead map[string]bool // by IP
}

// Run runs f in a bubble of virtual time, with an internet that ends with it.
func Run(t *testing.T, f func(t *testing.T, in *Internet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		in := &Internet{dead: make(map[string]bool)}
		in.router.LatencyFunc = in.latency
		in.router.OnDrop = func(*simnet.Packet, simnet.DropReason) {}
		stop := make(chan struct{})
		in.router.CloseSignal = stop
		var running sync.WaitGroup
		in.router.Start(&running)
		t.Cleanup(func() { close(stop); running.Wait() })
		f(t, in)
	})
}

// latency of a packet to or from nowhere is longer than any test.
func (in *Internet) latency(p *simnet.Packet) time.Duration {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.dead[hostOf(p.From)] || in.dead[hostOf(p.To)] {
		return 1000 * time.Hour
	}
	return Hop
}

// Cut takes an address off the net, as pulling the plug does.
func (in *Internet) Cut(ip string) { in.set(ip, true) }

// Mend puts it back.
func (in *Internet) Mend(ip string) { in.set(ip, false) }

func (in *Internet) set(ip string, dead bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.dead[net.ParseIP(ip).String()] = dead
}

func hostOf(a net.Addr) string { return a.(*net.UDPAddr).IP.String() }

// QUIC has a host send and receive at ip: on the internet, or behind a router if
// that is not nil.
func (in *Internet) QUIC(ip string, behind *Router) []quicreuse.Option {
	at := net.ParseIP(ip).To16()
	return []quicreuse.Option{
		quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return source{at}, nil }),
		quicreuse.OverrideListenUDP(func(_ string, a *net.UDPAddr) (net.PacketConn, error) {
			return in.socket(at, a.Port, behind), nil
		}),
	}
}

// Plug is QUIC for a host that is made with libp2p's own options. Sockets that
// are made for a host must be closed with it by whoever makes them.
func (in *Internet) Plug(ip string, behind *Router) libp2p.Option {
	return libp2p.QUICReuse(func(life fx.Lifecycle, reset quic.StatelessResetKey, token quic.TokenGeneratorKey) (*quicreuse.ConnManager, error) {
		conns, err := quicreuse.NewConnManager(reset, token, in.QUIC(ip, behind)...)
		if err == nil {
			life.Append(fx.StopHook(conns.Close))
		}
		return conns, err
	})
}

func (in *Internet) socket(ip net.IP, port int, behind *Router) net.PacketConn {
	if port == 0 {
		port = int(in.ports.Add(1)) + firstEphemeral
	}
	at := &net.UDPAddr{IP: ip, Port: port}
	c := simnet.NewBlockingSimConn(at)
	if behind != nil {
		behind.attach(at, c)
		return c
	}
	c.SetUpPacketReceiver(&in.router)
	in.router.AddNode(at, c)
	return c
}

// source is the address a host sends from.
type source struct{ ip net.IP }

func (s source) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) { return s.ip, nil }
