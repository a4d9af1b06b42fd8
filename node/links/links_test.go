package links_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/multiformats/go-multiaddr"

	"github.com/libp2p/go-libp2p/core/crypto"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/node/host"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/links"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/heartbeat"
)

// party is a node of a test: a host, its links, and what its handlers heard.
type party struct {
	t    *testing.T
	host libp2phost.Host
	*links.Links

	mu    sync.Mutex
	heard []string
	more  chan struct{} // closed and replaced when heard grows
}

// join starts links on h until the test, or stop, ends them.
func join(t *testing.T, h libp2phost.Host, name string, change func(*links.Config)) (p *party, stop func()) {
	t.Helper()
	p = &party{t: t, host: h, more: make(chan struct{})}
	cfg := links.Config{
		Hello: func(links.Peer) heartbeat.Hello {
			return heartbeat.Hello{Version: 1, Agent: "test", Name: name, Time: uint64(time.Now().UnixMilli())}
		},
		Handlers: links.Handlers{
			Up:   func(_ links.Peer, path delivery.Path) { p.note("up"); p.note("up " + path.String()) },
			Down: func(links.Peer) { p.note("down") },
			Hello: func(_ links.Peer, h heartbeat.Hello, _ time.Duration, local bool) {
				p.note(fmt.Sprintf("hello %s local=%v", h.Name, local))
			},
			LineLost: func(links.Peer) { p.note("lost") },
			Beat:     func(links.Peer, links.Beat) { p.note("beat") },
			State:    func(_ links.Peer, s links.State, _ time.Time) { p.note(s.String()) },
			Presence: func(_ links.Peer, frame []byte) { p.note(fmt.Sprintf("presence %x", frame)) },
			Envelopes: func(in *links.Inbound, frames [][]byte) {
				for _, f := range frames {
					p.note("envelope " + string(f))
					_ = in.Answer(fmt.Appendf(nil, "re %.40s", f)) // as short as real ones
				}
			},
			Answers: func(_ links.Peer, frames [][]byte) {
				for _, f := range frames {
					p.note("answer " + string(f))
				}
			},
			Acks: func(_ *links.Inbound, frames [][]byte) {
				for _, f := range frames {
					p.note("ack " + string(f))
				}
			},
		},
	}
	if change != nil {
		change(&cfg)
	}
	p.Links = links.New(h, cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := p.Run(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	t.Cleanup(stop)
	return p, stop
}

func (p *party) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, what)
	close(p.more)
	p.more = make(chan struct{})
}

// count says how often what was heard.
func (p *party) count(what string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, h := range p.heard {
		if h == what {
			n++
		}
	}
	return n
}

// await waits until what was heard n times.
func (p *party) await(what string, n int) {
	p.t.Helper()
	late := time.After(time.Minute)
	for {
		p.mu.Lock()
		more := p.more
		p.mu.Unlock()
		if p.count(what) >= n {
			return
		}
		select {
		case <-more:
		case <-late:
			p.mu.Lock()
			defer p.mu.Unlock()
			p.t.Fatalf("heard at last %.24q, want %.60q %d times", p.heard[max(0, len(p.heard)-40):], what, n)
		}
	}
}

func (p *party) key() links.Peer {
	key, err := identity.KeyOf(p.host.ID())
	if err != nil {
		p.t.Fatal(err)
	}
	return key
}

func (p *party) connect(to *party) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.ConnectAddr(ctx, peer.AddrInfo{ID: to.host.ID(), Addrs: to.host.Addrs()}); err != nil {
		p.t.Fatal(err)
	}
}

func newHost(t testing.TB) libp2phost.Host {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return newHostWith(t, key)
}

func newHostWith(t testing.TB, key crypto.PrivKey) libp2phost.Host {
	t.Helper()
	h, _, err := host.New(host.Config{Key: key, Local: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// pair is two connected parties on loopback; a has dialled.
func pair(t *testing.T) (a, b *party) {
	t.Helper()
	a, _ = join(t, newHost(t), "alice", nil)
	b, _ = join(t, newHost(t), "bob", nil)
	a.connect(b)
	return a, b
}

func TestHelloGoesBothWays(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	a.await("hello bob local=true", 1)
	b.await("hello alice local=false", 1)
	for _, p := range []*party{a, b} {
		if p.heard[0] != "up" || p.count("up") != 1 {
			t.Errorf("heard %q, want one up before all else", p.heard)
		}
	}
	infos := b.Peers()
	if len(infos) != 1 || infos[0].Name != "alice" || infos[0].Peer != a.key() || infos[0].Path.Relayed || infos[0].Path.Transport != "quic" || !infos[0].Greeted {
		t.Errorf("bob sees %+v", infos)
	}
	if off := infos[0].ClockOffset.Abs(); off > time.Minute {
		t.Errorf("clocks of one machine are %v apart", off)
	}
}

func TestEnvelopesAnswersAndAcks(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	written := make(chan error, 1)
	if err := a.SendEnvelope(b.key(), []byte("one"), func(err error) { written <- err }); err != nil {
		t.Fatal(err)
	}
	b.await("envelope one", 1)
	a.await("answer re one", 1)
	if err := <-written; err != nil {
		t.Errorf("written: %v", err)
	}
	b.await("up", 1)
	if err := b.SendAck(a.key(), []byte("got one")); err != nil {
		t.Fatal(err)
	}
	a.await("ack got one", 1)
}

func TestEnvelopesArriveInOrder(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	const n = 3000
	for i := range n { // the first of them wait for the stream to open
		if err := a.SendEnvelope(b.key(), fmt.Appendf(nil, "%d", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	b.await(fmt.Sprintf("envelope %d", n-1), 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	next := 0
	for _, h := range b.heard {
		if h == fmt.Sprintf("envelope %d", next) {
			next++
		}
	}
	if next != n {
		t.Errorf("%d of %d in order", next, n)
	}
}

func TestStreamThatIsQuickerThanItsConnectionIsServed(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	b.await("up", 1)
	b.Overlook(a.host.ID())
	if err := a.SendEnvelope(b.key(), []byte("quick"), nil); err != nil {
		t.Fatal(err)
	}
	b.await("envelope quick", 1)
}

func TestSendToNobody(t *testing.T) {
	t.Parallel()
	a, stop := join(t, newHost(t), "alice", nil)
	b, _ := join(t, newHost(t), "bob", nil)
	if err := a.SendEnvelope(b.key(), []byte("x"), nil); err != links.ErrNotConnected {
		t.Errorf("to somebody away: %v", err)
	}
	a.connect(b)
	stop()
	if err := a.SendEnvelope(b.key(), []byte("x"), nil); err != links.ErrNotConnected {
		t.Errorf("after the end: %v", err)
	}
}

func TestPeerThatLeavesGoesDown(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	if err := a.SendEnvelope(b.key(), []byte("x"), nil); err != nil {
		t.Fatal(err)
	}
	a.await("answer re x", 1)
	_ = b.host.Close()
	a.await("down", 1)
	if a.Connected(b.key()) || len(a.Peers()) != 0 {
		t.Error("still listed")
	}
	if a.Probe(t.Context(), b.key()) {
		t.Error("still alive")
	}
}

func TestOtherNetworksAreForeign(t *testing.T) {
	t.Parallel()
	a, _ := join(t, newHost(t), "alice", nil)
	b, _ := join(t, newHost(t), "bob", func(c *links.Config) { c.Network = "test" })
	err := a.ConnectAddr(t.Context(), peer.AddrInfo{ID: b.host.ID(), Addrs: b.host.Addrs()})
	if err != links.ErrForeign {
		t.Errorf("%v, want ErrForeign", err)
	}
	if len(a.Peers()) != 0 {
		t.Error("listed as a peer")
	}
}

func TestConnectFindsAddressesElsewhere(t *testing.T) {
	t.Parallel()
	b, _ := join(t, newHost(t), "bob", nil)
	a, _ := join(t, newHost(t), "alice", func(c *links.Config) { c.Addrs = func(links.Peer) []ma { return b.host.Addrs() } })
	if err := a.Connect(t.Context(), b.key()); err != nil {
		t.Fatal(err)
	}
	if !a.Connected(b.key()) {
		t.Error("not connected")
	}
	if !a.Probe(t.Context(), b.key()) {
		t.Error("a live connection is taken for dead")
	}
	if a.Peers()[0].RTT == 0 {
		t.Error("a probe measures the round trip")
	}
}

type ma = multiaddr.Multiaddr
