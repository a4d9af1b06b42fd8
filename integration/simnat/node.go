package simnat

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/quic-go/quic-go"
	"go.uber.org/fx"

	"github.com/tom-protocol/tom/node"
	nodehost "github.com/tom-protocol/tom/node/host"
)

// Hop is how long a packet takes where nobody says otherwise.
const Hop = 20 * time.Millisecond

// Run runs f in a bubble of virtual time, with an internet that ends with it.
func Run(t *testing.T, f func(t *testing.T, in *Internet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		in := New(Hop)
		t.Cleanup(in.Close)
		f(t, in)
	})
}

// Stock puts a host here that is made with libp2p's own options. Sockets that are
// made for a host must be closed with it by whoever makes them.
func (p *Plug) Stock() libp2p.Option {
	return libp2p.QUICReuse(func(life fx.Lifecycle, reset quic.StatelessResetKey, token quic.TokenGeneratorKey) (*quicreuse.ConnManager, error) {
		conns, err := quicreuse.NewConnManager(reset, token, p.QUIC()...)
		if err == nil {
			life.Append(fx.StopHook(conns.Close))
		}
		return conns, err
	})
}

// Node is a node that runs.
type Node struct {
	*node.Node
	t    *testing.T
	stop func()
}

// Place runs a node at ip, on the internet or behind a router, until the test
// ends or Stop. It finds others by bootstrap, cache and DHT only.
func (in *Internet) Place(t *testing.T, ip string, behind *Router, cfg node.Config) *Node {
	t.Helper()
	cfg.NoRendezvous, cfg.NoMDNS, cfg.NoPortMap = true, true, true
	cfg.Listen = []string{"/ip4/" + ip + "/udp/4001/quic-v1"}
	also := cfg.Host
	cfg.Host = func(c *nodehost.Config) {
		c.QUIC = append(c.QUIC, in.Plug(ip, behind).QUIC()...)
		if also != nil {
			also(c)
		}
	}
	n, err := node.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return &Node{Node: n, t: t, stop: stop}
}

// Stop ends the node cleanly.
func (n *Node) Stop() { n.stop() }

// Send sends text and waits until the recipient has signed for it, or fails the
// test.
func (n *Node) Send(to, text string, within time.Duration) node.Status {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	id, err := n.Node.Send(ctx, to, node.Text(text))
	if err != nil {
		n.t.Fatal(err)
	}
	st, err := n.Wait(ctx, id, node.Delivered)
	if err != nil || st.State != node.Delivered {
		trace, _ := n.Trace(context.Background(), id)
		n.t.Fatalf("state %v after %v, %v; trace %+v", st.State, within, err, trace)
	}
	return st
}
