package interop

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/autorelay"
	"github.com/libp2p/go-libp2p/p2p/protocol/autonatv2"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/integration/simnat"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node"
)

// stock is a go-libp2p host as anybody makes one, without a line of ours.
type stock struct {
	host.Host
	t *testing.T
}

// symmetric is a router that takes another port for each destination.
func symmetric(in *simnat.Internet, ip string) *simnat.Router {
	r := in.Router(ip)
	r.Symmetric = true
	return r
}

// echo is a protocol of its own.
const echo = "/echo/1"

func newStock(t *testing.T, in *simnat.Internet, ip string, behind *simnat.Router, options ...libp2p.Option) *stock {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h, err := libp2p.New(append([]libp2p.Option{
		libp2p.Identity(key), in.Plug(ip, behind).Stock(), libp2p.ListenAddrStrings("/ip4/" + ip + "/udp/4001/quic-v1"),
		libp2p.UDPBlackHoleSuccessCounter(nil),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	h.SetStreamHandler(echo, func(s network.Stream) {
		_, _ = io.Copy(s, s)
		_ = s.Close()
	})
	return &stock{h, t}
}

// address is where a host on the internet can be dialled.
func (s *stock) address() string {
	return s.Addrs()[0].String() + "/p2p/" + s.ID().String()
}

// hears says whether the other side sends back what s sends it.
func (s *stock) hears(other *stock) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(network.WithAllowLimitedConn(s.t.Context(), "test"), 30*time.Second)
	defer cancel()
	st, err := s.NewStream(ctx, other.ID(), echo)
	if err != nil {
		s.t.Fatalf("open stream: %v", err)
	}
	said := []byte("over somebody else's relay")
	if _, err := st.Write(said); err != nil {
		s.t.Fatal(err)
	}
	_ = st.CloseWrite()
	if heard, err := io.ReadAll(st); err != nil || !bytes.Equal(heard, said) {
		s.t.Fatalf("heard %q, %v", heard, err)
	}
}

func infoOf(t *testing.T, n *simnat.Node) peer.AddrInfo {
	t.Helper()
	id, err := peer.Decode(n.ID())
	if err != nil {
		t.Fatal(err)
	}
	return peer.AddrInfo{ID: id, Addrs: n.Addrs()}
}

func address(t *testing.T, n *simnat.Node) string {
	t.Helper()
	return n.Addrs()[0].String() + "/p2p/" + n.ID()
}

func relayed(addrs []multiaddr.Multiaddr) bool {
	for _, a := range addrs {
		if strings.Contains(a.String(), "/p2p-circuit") {
			return true
		}
	}
	return false
}

// public is a node of ours that anybody can dial.
func public(t *testing.T, in *simnat.Internet, ip string, bootstrap ...string) *simnat.Node {
	t.Helper()
	n := in.Place(t, ip, nil, node.Config{Reachability: "public", Bootstrap: bootstrap})
	virtual.Until(t, 30*time.Second, time.Millisecond, "our node relays for others", func() bool { return n.Reach().Serving })
	return n
}

// A stock relay with stock limits, 128 KiB and two minutes, stands between two
// nodes of ours whose routers let no hole be punched.
func TestOurNodesTalkThroughAStockRelay(t *testing.T) {
	t.Parallel()
	simnat.Run(t, func(t *testing.T, in *simnat.Internet) {
		relay := newStock(t, in, "1.0.0.1", nil, libp2p.EnableRelayService(), libp2p.ForceReachabilityPublic())
		join := func(ip, outside string) *simnat.Node {
			return in.Place(t, ip, symmetric(in, outside), node.Config{Bootstrap: []string{relay.address()}, NoDHT: true})
		}
		alice, bob := join("10.1.0.2", "2.0.0.1"), join("10.2.0.2", "2.0.0.2")
		virtual.Until(t, 10*time.Second, time.Millisecond, "bob has a place at the relay", func() bool { return relayed(bob.Addrs()) })
		begun := time.Now()
		if st := alice.Send(bob.Link(), "hello", 5*time.Second); st.Path != "relayed" {
			t.Errorf("delivered %s", st.Path)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("delivered after %v", took)
		}
		for range 40 { // more than one circuit carries
			alice.Send(bob.ID(), strings.Repeat("x", 8<<10), 30*time.Second)
		}
	})
}

func TestStockHostsTalkThroughOurRelay(t *testing.T) {
	t.Parallel()
	simnat.Run(t, func(t *testing.T, in *simnat.Internet) {
		ours := public(t, in, "1.0.0.1")
		info := infoOf(t, ours)
		b := newStock(t, in, "10.2.0.2", symmetric(in, "2.0.0.2"),
			libp2p.EnableAutoRelayWithStaticRelays([]peer.AddrInfo{info}, autorelay.WithBootDelay(0)), libp2p.ForceReachabilityPrivate())
		virtual.Until(t, 10*time.Second, time.Millisecond, "the stock host has a place at our relay", func() bool { return relayed(b.Addrs()) })
		a := newStock(t, in, "10.1.0.2", symmetric(in, "2.0.0.1"))
		a.Peerstore().AddAddrs(b.ID(), b.Addrs(), time.Hour)
		a.hears(b)
	})
}

// direct says that one of the connections needs no relay.
func direct(conns []network.Conn) bool {
	for _, c := range conns {
		if !strings.Contains(c.RemoteMultiaddr().String(), "/p2p-circuit") {
			return true
		}
	}
	return false
}

func TestHolesArePunchedWithStockHosts(t *testing.T) {
	t.Parallel()
	for _, ourSide := range []string{"dials", "is dialled"} {
		t.Run("ours "+ourSide, func(t *testing.T) {
			t.Parallel()
			simnat.Run(t, func(t *testing.T, in *simnat.Internet) {
				relay := public(t, in, "1.0.0.1")
				ours := in.Place(t, "10.1.0.2", in.Router("2.0.0.1"), node.Config{Bootstrap: []string{address(t, relay)}})
				other := newStock(t, in, "10.2.0.2", in.Router("2.0.0.2"),
					libp2p.EnableHolePunching(), libp2p.ForceReachabilityPrivate(),
					libp2p.EnableAutoRelayWithStaticRelays([]peer.AddrInfo{infoOf(t, relay)}, autorelay.WithBootDelay(0)))
				virtual.Until(t, 10*time.Second, time.Millisecond, "both have a place at the relay", func() bool {
					return relayed(other.Addrs()) && relayed(ours.Addrs())
				})
				us := infoOf(t, ours)
				if ourSide == "dials" {
					var circuit string
					for _, a := range other.Addrs() {
						if relayed([]multiaddr.Multiaddr{a}) {
							circuit = a.String() + "/p2p/" + other.ID().String()
						}
					}
					_, _ = ours.Connect(t.Context(), circuit) // a host that speaks none of our protocols
				} else if err := other.Connect(network.WithAllowLimitedConn(t.Context(), "test"), us); err != nil {
					t.Fatal(err)
				}
				virtual.Until(t, 15*time.Second, time.Millisecond, "a direct connection", func() bool {
					return direct(other.Network().ConnsToPeer(us.ID))
				})
			})
		})
	}
}

// autonat is libp2p's AutoNAT v2 on a host, both client and server. The option
// that makes one by itself would dial back over real sockets.
func (s *stock) autonat(in *simnat.Internet, dialsFrom string) *autonatv2.AutoNAT {
	s.t.Helper()
	a, err := autonatv2.New(newStock(s.t, in, dialsFrom, nil, libp2p.NoListenAddrs).Host)
	if err == nil {
		err = a.Start(s.Host)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(a.Close)
	return a
}

func TestAutoNATv2WorksBothWays(t *testing.T) {
	t.Parallel()
	simnat.Run(t, func(t *testing.T, in *simnat.Internet) {
		ours := public(t, in, "1.0.0.1")
		asks := newStock(t, in, "3.0.0.1", nil)
		client := asks.autonat(in, "3.0.0.2")
		if err := asks.Connect(t.Context(), infoOf(t, ours)); err != nil {
			t.Fatal(err)
		}
		virtual.Until(t, time.Minute, time.Millisecond, "our node confirms an address of the stock host", func() bool {
			verdict, err := client.GetReachability(t.Context(), []autonatv2.Request{{Addr: asks.Addrs()[0], SendDialData: true}})
			return err == nil && verdict.Reachability == network.ReachabilityPublic
		})

		var servers []string
		for _, ip := range []string{"4.0.0.1", "4.0.0.2", "4.0.0.3"} {
			server := newStock(t, in, ip, nil)
			server.autonat(in, strings.Replace(ip, "4.", "6.", 1))
			servers = append(servers, server.address())
		}
		us := in.Place(t, "5.0.0.1", nil, node.Config{Bootstrap: servers})
		virtual.Until(t, 2*time.Minute, time.Millisecond, "our node knows that it is public", func() bool { return us.Reachability() == "public" })
	})
}

func TestDHTIsSharedWithStockHosts(t *testing.T) {
	t.Parallel()
	simnat.Run(t, func(t *testing.T, in *simnat.Internet) {
		kad := func(h host.Host, mode dht.ModeOpt) *dht.IpfsDHT {
			d, err := dht.New(h, dht.ProtocolPrefix("/tom"), dht.Mode(mode), dht.DisableAutoRefresh())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = d.Close() })
			return d
		}
		server := newStock(t, in, "3.0.0.1", nil, libp2p.ForceReachabilityPublic())
		kad(server, dht.ModeServer)
		first := public(t, in, "1.0.0.1", server.address())
		second := public(t, in, "1.0.0.2", server.address())
		virtual.Until(t, 30*time.Second, time.Millisecond, "both are connected to the stock server", func() bool { return len(server.Network().Peers()) == 2 })

		client := newStock(t, in, "3.0.0.2", nil)
		lookup := kad(client, dht.ModeClient)
		if err := client.Connect(t.Context(), infoOf(t, first)); err != nil {
			t.Fatal(err)
		}
		virtual.Until(t, 30*time.Second, time.Millisecond, "a stock client takes our node for a server", func() bool { return lookup.RoutingTable().Size() > 0 })
		if found, err := lookup.FindPeer(t.Context(), infoOf(t, second).ID); err != nil || len(found.Addrs) == 0 {
			t.Errorf("a stock client found %v, %v", found, err)
		}

		third := in.Place(t, "10.1.0.2", in.Router("2.0.0.1"), node.Config{Bootstrap: []string{server.address()}})
		virtual.Until(t, 30*time.Second, time.Millisecond, "our node finds another by the stock server", func() bool {
			_, answers, err := third.Find(t.Context(), second.ID())
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for a := range answers {
				found = found || a.Source == "dht" && len(a.Addrs) > 0
			}
			return found
		})
	})
}
