package links_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node/links"
)

// punch connects a and b directly beside their circuit, as hole punching does.
func punch(t *testing.T, w *world, a, b *party) {
	t.Helper()
	w.wall.Store(false)
	ctx, cancel := context.WithTimeout(network.WithForceDirectDial(t.Context(), "test"), 10*time.Second)
	defer cancel()
	if err := a.host.Connect(ctx, peer.AddrInfo{ID: b.host.ID(), Addrs: b.host.Addrs()}); err != nil {
		t.Fatal(err)
	}
}

// ups are the paths that Up told, in order.
func (p *party) ups() (paths []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.heard {
		if path, ok := strings.CutPrefix(h, "up "); ok {
			paths = append(paths, path)
		}
	}
	return paths
}

func TestPathMovesInMidStream(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, _ := relayedPair(t, w, nil)
		const n = 2000
		gap, last := time.Duration(0), time.Now()
		for i := range n {
			if i == n/2 {
				punch(t, w, a, b)
			}
			err := a.SendEnvelope(b.key(), fmt.Appendf(nil, "%d", i), func(err error) {
				if err != nil {
					t.Errorf("%d: %v", i, err)
				}
				gap, last = max(gap, time.Since(last)), time.Now()
			})
			if err != nil {
				t.Fatalf("%d: %v", i, err)
			}
			virtual.Pass(time.Millisecond)
		}
		for i := range n {
			b.await(fmt.Sprintf("envelope %d", i), 1)
			a.await(fmt.Sprintf("answer re %d", i), 1)
		}
		for i := range n {
			if got := b.count(fmt.Sprintf("envelope %d", i)); got != 1 {
				t.Errorf("%d arrived %d times", i, got)
			}
		}
		if a.count("lost")+a.count("down")+b.count("down") != 0 {
			t.Errorf("lost %d, down %d and %d", a.count("lost"), a.count("down"), b.count("down"))
		}
		want := []string{"relayed", "direct"}
		if !slices.Equal(a.ups(), want) || !slices.Equal(b.ups(), want) {
			t.Errorf("paths %q and %q, want %q", a.ups(), b.ups(), want)
		}
		t.Logf("longest gap %v", gap)
		virtual.Pass(time.Minute)
		if conns := a.host.Network().ConnsToPeer(b.host.ID()); len(conns) != 1 {
			t.Errorf("%d connections a minute later, want the direct one alone", len(conns))
		}
	})
}

func TestDirectPathDiesAndTheCircuitTakesOver(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, _ := relayedPair(t, w, nil)
		punch(t, w, a, b)
		a.await("up direct", 1)
		b.await("up direct", 1)
		virtual.Pass(time.Second)
		a.Watch(b.key(), true)
		w.wall.Store(true)
		cut := time.Now()
		a.await("up relayed", 2)
		if took := time.Since(cut); took > 2500*time.Millisecond {
			t.Errorf("the circuit took over after %v, want at most 2.5s", took)
		}
		if err := a.SendEnvelope(b.key(), []byte("on"), nil); err != nil {
			t.Fatal(err)
		}
		a.await("answer re on", 1)
		if a.count("down") != 0 {
			t.Error("a peer with a live circuit was called down")
		}
	})
}

func TestCircuitsMadeFromBothEndsAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", nil)
		b, _ := join(t, w.newHost(2, newKey(t)), "bob", nil)
		r := w.newRelay(3, relay.DefaultLimit())
		w.wall.Store(true)
		toA, toB := a.reserve(r), b.reserve(r)
		done := make(chan error, 2)
		dial := func(from, to *party, addr multiaddr.Multiaddr) {
			done <- from.ConnectAddr(t.Context(), peer.AddrInfo{ID: to.host.ID(), Addrs: []multiaddr.Multiaddr{addr}})
		}
		go dial(a, b, toB)
		go dial(b, a, toA)
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			for from, to := range map[*party]*party{a: b, b: a} {
				if err := from.SendEnvelope(to.key(), fmt.Appendf(nil, "%d", i), nil); err != nil {
					t.Fatalf("%d: %v", i, err)
				}
				from.await(fmt.Sprintf("answer re %d", i), 1)
			}
			virtual.Pass(time.Second)
		}
		if got := circuits(a, b); got != 1 {
			t.Errorf("%d circuits left, want one", got)
		}
		if a.count("down")+b.count("down")+a.count("lost")+b.count("lost") != 0 {
			t.Errorf("heard %q and %q", a.heard, b.heard)
		}
	})
}

func TestReconnectAfterTheAddressChanged(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", func(c *links.Config) {
			c.Friend = func(p links.Peer) bool { return p[0] < 128 }
		})
		friend, _ := join(t, w.newHost(2, keyThat(t, func(p links.Peer) bool { return p[0] < 128 })), "friend", nil)
		other, _ := join(t, w.newHost(4, keyThat(t, func(p links.Peer) bool { return p[0] >= 128 })), "stranger", nil)
		stock := w.newHost(5, newKey(t))
		a.connect(friend)
		other.connect(a) // it may come back by itself
		if err := a.host.Connect(t.Context(), peer.AddrInfo{ID: stock.ID(), Addrs: stock.Addrs()}); err != nil {
			t.Fatal(err)
		}
		a.Lean([]peer.ID{stock.ID()})
		begun := time.Now()
		a.Reconnect(t.Context(), "test")
		if took := time.Since(begun); took > 500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		a.await("down", 2)
		a.await("up", 3)
		net := a.host.Network()
		for id, want := range map[peer.ID]network.Connectedness{
			friend.host.ID(): network.Connected, stock.ID(): network.Connected, other.host.ID(): network.NotConnected,
		} {
			if got := net.Connectedness(id); got != want {
				t.Errorf("%v, want %v", got, want)
			}
		}
	})
}

func TestConnectRacesWhatIsKnownAndWhatIsFound(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		b, _ := join(t, w.newHost(2, newKey(t)), "bob", nil)
		at := 10
		dead := multiaddr.StringCast("/ip4/1.0.0.99/udp/8000/quic-v1")
		for name, c := range map[string]struct {
			known, found []multiaddr.Multiaddr
			fails        error
			within       time.Duration
			ok           bool
		}{
			"nothing known":      {nil, b.host.Addrs(), nil, 150 * time.Millisecond, true},
			"known is dead":      {[]multiaddr.Multiaddr{dead}, b.host.Addrs(), nil, 600 * time.Millisecond, true},
			"found is dead":      {b.host.Addrs(), []multiaddr.Multiaddr{dead}, nil, 150 * time.Millisecond, true},
			"nothing found":      {nil, nil, nil, time.Second, false},
			"nobody knows where": {nil, nil, errors.New("no"), time.Second, false},
		} {
			at++
			a, stop := join(t, w.newHost(at, newKey(t)), "alice", func(cfg *links.Config) {
				cfg.Addrs = func(links.Peer) []multiaddr.Multiaddr { return c.known }
				cfg.Find = func(context.Context, links.Peer) ([]multiaddr.Multiaddr, error) { return c.found, c.fails }
			})
			begun := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			err := a.Connect(ctx, b.key())
			cancel()
			if took := time.Since(begun); (err == nil) != c.ok || took > c.within {
				t.Errorf("%s: %v after %v, want at most %v", name, err, took, c.within)
			}
			stop()
		}
	})
}

func TestShorterWayIsTaken(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, _ := relayedPair(t, w, relay.DefaultLimit())
		a.await("up relayed", 1)
		w.wall.Store(false)
		a.host.Peerstore().ClearAddrs(b.host.ID())
		if a.Direct(b.key()) {
			t.Error("a circuit is called direct")
		}
		if err := a.ConnectAddr(t.Context(), peer.AddrInfo{ID: b.host.ID(), Addrs: b.host.Addrs()}); err != nil {
			t.Fatal(err)
		}
		a.await("up direct", 1)
		if !a.Direct(b.key()) {
			t.Error("still relayed")
		}
	})
}
