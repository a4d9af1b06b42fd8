package internet

import (
	"context"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node"
	nodehost "github.com/tom-protocol/tom/node/host"
)

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
		c.QUIC = append(c.QUIC, in.QUIC(ip, behind)...)
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

// Until waits for something to come about, or fails the test.
func Until(t *testing.T, within time.Duration, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}
