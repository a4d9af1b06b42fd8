package worlds

import (
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/node/identity"
)

// crowd is how many strangers connect: more than a node keeps.
const crowd = 200

func TestCrowdOfSilentStrangersDoesNotKeepOutTheHonest(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		alice, bob := w.start(1, node.Config{Name: "alice"}), w.start(2, node.Config{Name: "bob"})
		alice.send(t, bob.Link(), "before")
		link, err := identity.ParseLink(bob.Link())
		if err != nil {
			t.Fatal(err)
		}
		for i := range crowd {
			w.stranger(i+3, peer.AddrInfo{ID: identity.PeerIDOf(link.Peer), Addrs: link.Addrs})
		}
		virtual.Pass(5 * time.Minute) // beyond the grace that new connections have

		for i := range 3 {
			begun := time.Now()
			alice.send(t, bob.Link(), fmt.Sprintf("among the crowd %d", i))
			bob.send(t, alice.Link(), fmt.Sprintf("and back %d", i))
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("an exchange took %v", took)
			}
			virtual.Pass(2 * time.Minute)
		}
		if n := len(bob.Peers()); n > crowd {
			t.Errorf("bob has %d peers", n)
		}
	})
}

// stranger is a bare host that connects, and says nothing.
func (w *world) stranger(n int, to peer.AddrInfo) {
	w.t.Helper()
	wire := simnet.LinkSettings{BitsPerSecond: simlibp2p.OneMbps}
	h, err := libp2p.New(
		libp2p.ListenAddrStrings(fmt.Sprintf("/ip4/127.0.0.%d/udp/8000/quic-v1", n)),
		simlibp2p.QUICSimnet(w.net, simnet.NodeBiDiLinkSettings{Downlink: wire, Uplink: wire}),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableIdentifyAddressDiscovery(), libp2p.DisableRelay(), libp2p.DisableMetrics(),
		libp2p.ForceReachabilityPrivate(),
	)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = h.Close() })
	if err := h.Connect(w.t.Context(), to); err != nil {
		w.t.Logf("stranger %d: %v", n, err) // it is full: so much the better
	}
}
