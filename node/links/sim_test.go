package links_test

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node/links"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/heartbeat"
	"github.com/tom-protocol/tom/protocols/stream"
)

// world is a simulated network in virtual time: 10 ms each way, and hosts that
// can be cut off without a word.
type world struct {
	t    *testing.T
	net  *simnet.Simnet
	dead [256]atomic.Bool // by the last byte of the address
	wall atomic.Bool      // between hosts 1 and 2
	sent atomic.Int64     // packets
}

// inWorld runs f in a bubble. Its hosts are 1.0.0.n.
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
	w.sent.Add(1)
	from, to := lastByte(p.From.String()), lastByte(p.To.String())
	if w.dead[from].Load() || w.dead[to].Load() || w.wall.Load() && from+to == 3 {
		return 1000 * time.Hour
	}
	return 10 * time.Millisecond
}

func lastByte(addr string) (n byte) {
	_, _ = fmt.Sscanf(addr, "1.0.0.%d", &n)
	return n
}

// cut takes host n off the net, as a crash does.
func (w *world) cut(n int) { w.dead[n].Store(true) }

// back puts host n on the net again.
func (w *world) back(n int) { w.dead[n].Store(false) }

func (w *world) newHost(n int, key crypto.PrivKey, more ...libp2p.Option) libp2phost.Host {
	w.t.Helper()
	link := simnet.LinkSettings{BitsPerSecond: 100 * simlibp2p.OneMbps}
	h, err := libp2p.New(append([]libp2p.Option{
		libp2p.Identity(key),
		libp2p.ListenAddrStrings(fmt.Sprintf("/ip4/1.0.0.%d/udp/8000/quic-v1", n)),
		simlibp2p.QUICSimnet(w.net, simnet.NodeBiDiLinkSettings{Downlink: link, Uplink: link}),
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.EnableRelay(),
		libp2p.ForceReachabilityPublic(),
	}, more...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = h.Close() })
	return h
}

func newKey(t *testing.T) crypto.PrivKey {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestRestartedPeerReplacesItsGhost(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		key := newKey(t)
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", nil)
		b, _ := join(t, w.newHost(2, key), "bob", nil)
		a.connect(b)
		if err := a.SendEnvelope(b.key(), []byte("before"), nil); err != nil {
			t.Fatal(err)
		}
		a.await("answer re before", 1)

		w.cut(2)
		if err := a.SendEnvelope(b.key(), []byte("into the void"), nil); err != nil {
			t.Fatal(err)
		}
		born, _ := join(t, w.newHost(3, key), "bob", nil)
		born.connect(a)
		back := time.Now()
		if conns := a.host.Network().ConnsToPeer(b.host.ID()); len(conns) != 2 {
			t.Fatalf("%d connections, want the ghost's and the new one", len(conns))
		}
		a.await("lost", 1)
		if took := time.Since(back); took > 3*time.Second {
			t.Errorf("the ghost was noticed after %v, want at most 3s", took)
		}
		if conns := a.host.Network().ConnsToPeer(b.host.ID()); len(conns) != 1 {
			t.Errorf("%d connections left, want the new one", len(conns))
		}
		if a.count("down") != 0 {
			t.Error("a peer with a live connection was called down")
		}
		if err := a.SendEnvelope(b.key(), []byte("again"), nil); err != nil {
			t.Fatal(err)
		}
		born.await("envelope again", 1)
		a.await("answer re again", 1)
	})
}

func TestReceiptsDoNotFollowAGhost(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		key := newKey(t)
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", nil)
		b, _ := join(t, w.newHost(2, key), "bob", nil)
		a.connect(b)
		if err := a.SendAck(b.key(), []byte("before")); err != nil {
			t.Fatal(err)
		}
		b.await("ack before", 1)

		w.cut(2)
		born, _ := join(t, w.newHost(3, key), "bob", nil)
		born.connect(a)
		a.await("up", 2)
		if err := a.SendAck(b.key(), []byte("after")); err != nil { // nobody would ask for it again
			t.Fatal(err)
		}
		born.await("ack after", 1)
	})
}

func TestProbeFindsTheDead(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", nil)
		b, _ := join(t, w.newHost(2, newKey(t)), "bob", nil)
		a.connect(b)
		begun := time.Now()
		if !a.Probe(t.Context(), b.key()) {
			t.Error("the living is taken for dead")
		}
		if took := time.Since(begun); took > 100*time.Millisecond {
			t.Errorf("a probe took %v over a round trip of 20ms", took)
		}
		w.cut(2)
		begun = time.Now()
		if a.Probe(t.Context(), b.key()) {
			t.Error("the dead is taken for living")
		}
		if took := time.Since(begun); took > 2100*time.Millisecond {
			t.Errorf("it took %v, want 2s", took)
		}
		a.await("down", 1)
	})
}

func TestSilentDialerIsGreeted(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", nil)
		quiet := w.newHost(2, newKey(t))
		greeted := make(chan time.Time, 10)
		quiet.SetStreamHandler(protocols.HeartbeatProtocol, func(s network.Stream) {
			line := stream.NewLine(s, stream.Limits{})
			_, _ = line.Receive(nil)
			greeted <- time.Now()
			_ = line.Send(heartbeat.Hello{Version: 1, Name: "quiet", Time: 1}.Append(nil), nil)
			line.Close()
		})
		connected := time.Now()
		if err := quiet.Connect(t.Context(), peer.AddrInfo{ID: a.host.ID(), Addrs: a.host.Addrs()}); err != nil {
			t.Fatal(err)
		}
		a.await("hello quiet local=true", 1)
		if waited := (<-greeted).Sub(connected); waited < 2*time.Second || waited > 2200*time.Millisecond {
			t.Errorf("greeted after %v, want 2s", waited)
		}
		if len(greeted) != 0 {
			t.Error("greeted twice")
		}
	})
}

func TestIdleStreamsCloseAndReopen(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", nil)
		b, _ := join(t, w.newHost(2, newKey(t)), "bob", nil)
		a.connect(b)
		for i := range 2 {
			if err := a.SendEnvelope(b.key(), fmt.Appendf(nil, "%d", i), nil); err != nil {
				t.Fatal(err)
			}
			a.await(fmt.Sprintf("answer re %d", i), 1)
			virtual.Pass(10 * time.Minute)
			for _, c := range a.host.Network().ConnsToPeer(b.host.ID()) {
				if open := len(c.GetStreams()); open != 0 {
					t.Errorf("%d streams open after ten silent minutes", open)
				}
			}
		}
		if a.count("lost") != 0 || a.count("down") != 0 {
			t.Errorf("silence was taken for loss: %q", a.heard)
		}
	})
}

func TestStalledPeerHoldsUpNobodyElse(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		block := make(chan struct{})
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", nil)
		b, _ := join(t, w.newHost(2, newKey(t)), "bob", func(c *links.Config) {
			c.Handlers.Envelopes = func(*links.Inbound, [][]byte) { <-block }
		})
		t.Cleanup(func() { close(block) })
		c, _ := join(t, w.newHost(3, newKey(t)), "carol", nil)
		a.connect(b)
		a.connect(c)
		var err error
		for i := 0; err == nil && i < 1_000_000; i++ { // until bob's stream and our queue are full
			if err = a.SendEnvelope(b.key(), make([]byte, 200_000), nil); i%16 == 0 {
				synctest.Wait()
			}
		}
		if err != links.ErrFull {
			t.Errorf("%v, want ErrFull", err)
		}
		begun := time.Now()
		if err := a.SendEnvelope(c.key(), []byte("hi"), nil); err != nil {
			t.Fatal(err)
		}
		a.await("answer re hi", 1)
		if took := time.Since(begun); took > 200*time.Millisecond {
			t.Errorf("it took %v beside a stalled peer", took)
		}
		a.await("lost", 1) // bob's stream has had its time
		if took := time.Since(begun); took > 25*time.Second {
			t.Errorf("bob's stream was given %v, want 20s", took)
		}
	})
}

func TestEndOfRunLeavesNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, stop := join(t, w.newHost(1, newKey(t)), "alice", nil)
		b, _ := join(t, w.newHost(2, newKey(t)), "bob", nil)
		a.connect(b)
		if err := a.SendEnvelope(b.key(), []byte("first"), nil); err != nil {
			t.Fatal(err)
		}
		a.await("answer re first", 1)
		last := make(chan error, 1)
		if err := a.SendEnvelope(b.key(), []byte("last words"), func(err error) { last <- err }); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		stop()
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("it took %v to end", took)
		}
		if err := <-last; err != nil {
			t.Errorf("what was queued is lost: %v", err)
		}
		b.await("envelope last words", 1)
		for _, c := range a.host.Network().Conns() {
			for _, s := range c.GetStreams() {
				if strings.HasPrefix(string(s.Protocol()), "/tom/") {
					t.Errorf("stream of %s left", s.Protocol())
				}
			}
		}
	})
}

// keyThat makes a key whose peer is of some kind.
func keyThat(t *testing.T, is func(links.Peer) bool) crypto.PrivKey {
	t.Helper()
	for {
		key := newKey(t)
		raw, err := key.GetPublic().Raw()
		if err != nil {
			t.Fatal(err)
		}
		if is(links.Peer(raw)) {
			return key
		}
	}
}
