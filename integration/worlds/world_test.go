package worlds

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"

	"github.com/tom-protocol/tom/node"
	nodehost "github.com/tom-protocol/tom/node/host"
)

// world is a simulated network in virtual time. Its nodes live at 127.0.0.n
// and are what they are on a real loopback in all but the socket.
type world struct {
	t     *testing.T
	net   *simnet.Simnet
	dead  [256]atomic.Bool      // by the last byte of the address
	far   [256][256]atomic.Bool // who cannot reach whom, the same, the less first
	few   int                   // neighbours that nodes keep; 0: as usual
	ahead [256]atomic.Int64     // by how much a node's clock is ahead, by the last byte of its address
}

// hop is how long a packet takes one way.
const hop = 20 * time.Millisecond

// inWorld runs f in a bubble of its own.
func inWorld(t *testing.T, f func(t *testing.T, w *world)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.net = &simnet.Simnet{LatencyFunc: w.latency, Logger: slog.New(slog.DiscardHandler)}
		w.net.Start()
		t.Cleanup(w.net.Close)
		f(t, w)
	})
}

func (w *world) latency(p *simnet.Packet) time.Duration {
	if w.dead[lastByte(p.From)].Load() || w.dead[lastByte(p.To)].Load() {
		return 1000 * time.Hour
	}
	if from, to := lastByte(p.From), lastByte(p.To); w.far[min(from, to)][max(from, to)].Load() {
		return 1000 * time.Hour
	}
	return hop
}

func lastByte(a net.Addr) byte {
	ip := a.(*net.UDPAddr).IP
	return ip[len(ip)-1]
}

// part has two nodes reach each other no more.
func (w *world) part(a, b int) { w.far[min(a, b)][max(a, b)].Store(true) }

// cut takes the node at n off the net without a word.
func (w *world) cut(n int) { w.dead[n].Store(true) }

// living is a node that runs.
type living struct {
	*node.Node
	stop func()
}

// start runs a node at 127.0.0.n until the world ends, or stop.
func (w *world) start(n int, cfg node.Config) living {
	w.t.Helper()
	cfg.Listen = []string{fmt.Sprintf("/ip4/127.0.0.%d/udp/8000/quic-v1", n)}
	cfg.Host = w.plug(net.IPv4(127, 0, 0, byte(n)))
	cfg.Now = func() time.Time { return time.Now().Add(time.Duration(w.ahead[n].Load())) }
	return run(w.t, cfg)
}

// plug puts a host's QUIC on the simulated network.
func (w *world) plug(ip net.IP) func(*nodehost.Config) {
	wire := simnet.LinkSettings{BitsPerSecond: 100 * simlibp2p.OneMbps}
	link := simnet.NodeBiDiLinkSettings{Downlink: wire, Uplink: wire}
	return func(c *nodehost.Config) {
		c.FewConns, c.ManyConns = w.few, w.few
		c.QUIC = append(c.QUIC,
			quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return source{ip}, nil }),
			quicreuse.OverrideListenUDP(func(_ string, at *net.UDPAddr) (net.PacketConn, error) {
				return w.net.NewEndpoint(at, link), nil
			}),
		)
	}
}

// source is the address a host sends from.
type source struct{ ip net.IP }

func (s source) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) { return s.ip, nil }

// run runs a node on this machine until the test ends, or stop.
func run(t *testing.T, cfg node.Config) living {
	t.Helper()
	cfg.Local, cfg.NoRendezvous = true, true
	return live(t, cfg)
}

// live runs a node until the test ends, or stop.
func live(t *testing.T, cfg node.Config) living {
	t.Helper()
	n, err := node.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return living{Node: n, stop: stop}
}

// send sends text and waits until the recipient has signed for it.
func (l living) send(t *testing.T, to, text string) node.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	id, err := l.Send(ctx, to, node.Text(text))
	if err != nil {
		t.Fatal(err)
	}
	return l.wait(t, ctx, id)
}

func (l living) wait(t *testing.T, ctx context.Context, id node.MessageID) node.Status {
	t.Helper()
	st, err := l.Wait(ctx, id, node.Delivered)
	if err != nil || st.State != node.Delivered {
		tr, _ := l.Trace(context.Background(), id)
		t.Fatalf("state %v, %v; trace %+v", st.State, err, tr)
	}
	return st
}
