package links_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/links"
)

// newRelay makes a stock libp2p host that relays.
func (w *world) newRelay(n int, limit *relay.RelayLimit) libp2phost.Host {
	resources := relay.DefaultResources()
	resources.Limit = limit
	return w.newHost(n, newKey(w.t), libp2p.EnableRelayService(relay.WithResources(resources)))
}

// reserve has p take a place at a relay, and returns its address there.
func (p *party) reserve(r libp2phost.Host) multiaddr.Multiaddr {
	p.t.Helper()
	info := peer.AddrInfo{ID: r.ID(), Addrs: r.Addrs()}
	if err := p.host.Connect(p.t.Context(), info); err != nil {
		p.t.Fatal(err)
	}
	if _, err := client.Reserve(p.t.Context(), p.host, info); err != nil {
		p.t.Fatal(err)
	}
	return multiaddr.StringCast(fmt.Sprintf("%s/p2p/%s/p2p-circuit", r.Addrs()[0], r.ID()))
}

// over connects p to another party through a circuit.
func (p *party) over(addr multiaddr.Multiaddr, to *party) {
	p.t.Helper()
	if err := p.ConnectAddr(p.t.Context(), peer.AddrInfo{ID: to.host.ID(), Addrs: []multiaddr.Multiaddr{addr}}); err != nil {
		p.t.Fatal(err)
	}
}

// circuits counts the open ones.
func circuits(p, to *party) (n int) {
	for _, c := range p.host.Network().ConnsToPeer(to.host.ID()) {
		if c.Stat().Limited {
			n++
		}
	}
	return n
}

// relayedPair is alice and bob, whom she reaches through a relay alone.
func relayedPair(t *testing.T, w *world, limit *relay.RelayLimit) (a, b *party, r libp2phost.Host) {
	a, _ = join(t, w.newHost(1, newKey(t)), "alice", nil)
	b, _ = join(t, w.newHost(2, newKey(t)), "bob", nil)
	r = w.newRelay(3, limit)
	w.wall.Store(true)
	a.over(b.reserve(r), b)
	return a, b, r
}

func TestCircuitCarriesAll(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, r := relayedPair(t, w, relay.DefaultLimit())
		a.await("hello bob local=true", 1)
		b.await("hello alice local=false", 1)
		if a.count("up relayed") != 1 || b.count("up relayed") != 1 {
			t.Errorf("heard %q and %q, want up relayed", a.heard, b.heard)
		}
		if err := a.SendEnvelope(b.key(), []byte("hi"), nil); err != nil {
			t.Fatal(err)
		}
		b.await("envelope hi", 1)
		a.await("answer re hi", 1)
		if err := b.SendAck(a.key(), []byte("got hi")); err != nil {
			t.Fatal(err)
		}
		a.await("ack got hi", 1)
		a.Watch(b.key(), true)
		a.await("beat", 1)

		info := a.Peers()[0]
		via, err := identity.KeyOf(r.ID())
		if err != nil {
			t.Fatal(err)
		}
		if p := info.Path; !p.Relayed || p.Via != via || p.Transport != "quic" {
			t.Errorf("path %+v, want relayed by %v over quic", p, via)
		}
		if info.Left < 100<<10 || info.Left > 120<<10 || info.Ends.IsZero() {
			t.Errorf("%d bytes left until %v, of 128 KiB and 2 minutes", info.Left, info.Ends)
		}
		if info.RTT < 40*time.Millisecond || info.RTT > 60*time.Millisecond {
			t.Errorf("round trip %v, want 40ms", info.RTT)
		}
	})
}

func TestWhatNoCircuitCanCarryIsRefused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, _ := relayedPair(t, w, relay.DefaultLimit())
		if err := a.SendEnvelope(b.key(), make([]byte, 200<<10), nil); err != links.ErrLimit {
			t.Errorf("%v, want ErrLimit", err)
		}
		if err := a.SendEnvelope(b.key(), []byte("small"), nil); err != nil {
			t.Fatal(err)
		}
		a.await("answer re small", 1)
	})
}

func TestRelayWithoutLimitCarriesTheLargest(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, _ := relayedPair(t, w, nil)
		big := strings.Repeat("x", 256<<10)
		for range 4 {
			if err := a.SendEnvelope(b.key(), []byte(big), nil); err != nil {
				t.Fatal(err)
			}
		}
		b.await("envelope "+big, 4)
		if n := len(a.host.Network().ConnsToPeer(b.host.ID())); n != 1 {
			t.Errorf("%d circuits where one has no limit", n)
		}
	})
}

// A megabyte goes over circuits of 128 KiB each, one after another, and each
// piece goes once.
func TestConversationOutlivesItsCircuits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, _ := relayedPair(t, w, relay.DefaultLimit())
		piece := func(i int) string { return fmt.Sprintf("%d%s", i, strings.Repeat("x", 32<<10)) }
		begun := time.Now()
		for i := range 32 {
			err := a.SendEnvelope(b.key(), []byte(piece(i)), func(err error) {
				if err != nil {
					t.Errorf("piece %d: %v", i, err)
				}
			})
			if err != nil {
				t.Fatalf("piece %d: %v", i, err)
			}
		}
		for i := range 32 {
			b.await("envelope "+piece(i), 1)
		}
		t.Logf("1 MiB took %v", time.Since(begun))
		for i := range 32 {
			a.await(fmt.Sprintf("answer re %.40s", piece(i)), 1)
			if n := b.count("envelope " + piece(i)); n != 1 {
				t.Errorf("piece %d arrived %d times", i, n)
			}
		}
		if a.count("lost")+a.count("down")+b.count("down") != 0 {
			t.Errorf("heard %d lost, %d and %d down", a.count("lost"), a.count("down"), b.count("down"))
		}
		virtual.Pass(30 * time.Second)
		if n := circuits(a, b); n != 1 {
			t.Errorf("%d circuits left open, want one", n)
		}
	})
}

// Both ends stream, so both see the limit near.
func TestBothEndsStreamOverCircuits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, r := relayedPair(t, w, relay.DefaultLimit())
		a.reserve(r)
		piece := func(i int) string { return fmt.Sprintf("%d%s", i, strings.Repeat("x", 8<<10)) }
		for i := range 64 {
			for _, from := range []*party{a, b} {
				to := map[*party]*party{a: b, b: a}[from]
				if err := from.SendEnvelope(to.key(), []byte(piece(i)), nil); err != nil {
					t.Fatalf("piece %d: %v", i, err)
				}
			}
		}
		for i := range 64 {
			a.await("envelope "+piece(i), 1)
			b.await("envelope "+piece(i), 1)
		}
		if a.count("lost")+b.count("lost")+a.count("down")+b.count("down") != 0 {
			t.Errorf("lost %d and %d, down %d and %d", a.count("lost"), b.count("lost"), a.count("down"), b.count("down"))
		}
	})
}

func TestTalkOutlivesTheTimeOfACircuit(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, _ := relayedPair(t, w, relay.DefaultLimit())
		const n = 40 // ten minutes
		for i := range n {
			if err := a.SendEnvelope(b.key(), fmt.Appendf(nil, "%d", i), nil); err != nil {
				t.Fatalf("after %d: %v", i, err)
			}
			a.await(fmt.Sprintf("answer re %d", i), 1)
			virtual.Pass(15 * time.Second)
		}
		if a.count("down") != 0 || a.count("lost") != 0 || b.count("down") != 0 {
			t.Errorf("heard %q", a.heard)
		}
		if n := circuits(a, b); n != 1 {
			t.Errorf("%d circuits open, want one", n)
		}
	})
}

func TestSilentCircuitIsLetGo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, _ := relayedPair(t, w, relay.DefaultLimit())
		virtual.Pass(30 * time.Minute)
		if n := circuits(a, b); n != 0 || a.count("down") != 1 {
			t.Errorf("%d circuits after half an hour in which nobody spoke", n)
		}
		if a.count("up") > 2 {
			t.Errorf("up %d times: renewed for nobody", a.count("up"))
		}
	})
}

func TestCircuitThatCannotBeRenewedSaysSo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, r := relayedPair(t, w, relay.DefaultLimit())
		virtual.Pass(time.Second)
		// The relay keeps the circuit, and takes no other.
		r.RemoveStreamHandler("/libp2p/circuit/relay/0.2.0/hop")
		piece := strings.Repeat("x", 32<<10)
		failed := make(chan error, 32)
		var sync error
		for range 8 {
			if sync = a.SendEnvelope(b.key(), []byte(piece), func(err error) { failed <- err }); sync != nil {
				t.Fatal(sync)
			}
		}
		a.await("lost", 1)
		refused := 0
		for range 8 {
			if err := <-failed; err == links.ErrLimit {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		if refused != 5 { // three fit
			t.Errorf("%d of 8 pieces refused, want 5", refused)
		}
		if err := a.SendEnvelope(b.key(), []byte(piece), nil); err != links.ErrLimit {
			t.Errorf("%v, want ErrLimit while no circuit can be had", err)
		}
		if a.count("down") != 0 {
			t.Error("the circuit there was is gone")
		}
	})
}

func TestDeadRelayIsNoticedThroughItsCircuit(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, r := relayedPair(t, w, relay.DefaultLimit())
		a.Watch(b.key(), true)
		a.await("beat", 3)
		w.cut(3)
		cut := time.Now()
		a.await("down", 1)
		if took := time.Since(cut); took > 2500*time.Millisecond {
			t.Errorf("the circuit was found dead after %v, want at most 2.5s", took)
		}
		virtual.Pass(2100 * time.Millisecond)
		if a.host.Network().Connectedness(r.ID()) == network.Connected {
			t.Error("the relay is still taken for living, 2.1 s later")
		}
	})
}
