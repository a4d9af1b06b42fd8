package host_test

import (
	"context"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/node/host"
)

// Where a router would mix it up with one that was given up, a dial comes from
// another port; a punch would be in vain from there.
func TestADialThatWasGivenUpDoesNotHoldUpTheNext(t *testing.T) {
	t.Parallel()
	tcp := []string{"/ip4/127.0.0.1/tcp/0"}
	for name, c := range map[string]struct {
		givenUp, punch, samePort bool
	}{
		"first dial":         {samePort: true},
		"after one given up": {givenUp: true},
		"punch after one":    {givenUp: true, punch: true, samePort: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, at := start(t, host.Config{Listen: tcp})
			to, _ := start(t, host.Config{Listen: tcp})
			addr := sockets(to)[0]
			dialer := from.Network().(*swarm.Swarm).TransportForDialing(addr)
			if c.givenUp {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if _, err := dialer.Dial(ctx, addr, to.ID()); err == nil {
					t.Fatal("a dial is given up, and succeeds")
				}
			}
			ctx := t.Context()
			if c.punch {
				ctx = network.WithSimultaneousConnect(ctx, true, "test")
			}
			conn, err := dialer.(transport.DialUpdater).DialWithUpdates(ctx, addr, to.ID(), nil) // as swarms do
			if err != nil {
				t.Fatal(err)
			}
			if got := portOf(t, conn) == portText(at.Port); got != c.samePort {
				t.Errorf("dialled from %s, listening at %d", conn.LocalMultiaddr(), at.Port)
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func portOf(t *testing.T, c transport.CapableConn) string {
	t.Helper()
	port, err := c.LocalMultiaddr().ValueForProtocol(multiaddr.P_TCP)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
