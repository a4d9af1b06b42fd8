package host

import (
	"fmt"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/multiformats/go-multiaddr"
)

func newResources(t *testing.T) network.ResourceManager {
	t.Helper()
	rm, err := new(Config).resourceManager()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rm.Close() })
	return rm
}

func newPeer(t *testing.T) peer.ID {
	t.Helper()
	_, pub, err := crypto.GenerateKeyPair(crypto.Ed25519, 0)
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestFortyNodesBehindOneAddressAllGetIn(t *testing.T) {
	t.Parallel()
	for name, addr := range map[string]func(node, conn int) string{
		"one IPv4": func(node, conn int) string { return fmt.Sprintf("/ip4/1.2.3.4/udp/%d/quic-v1", 1000+3*node+conn) },
		"one /56":  func(node, conn int) string { return fmt.Sprintf("/ip6/2a00:1:2:300::%x/tcp/%d", node+1, 1000+conn) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rm := newResources(t)
			for node := range 40 {
				id := newPeer(t)
				for conn := range 3 {
					scope, err := rm.OpenConnection(network.DirInbound, true, multiaddr.StringCast(addr(node, conn)))
					if err != nil {
						t.Fatalf("node %d, connection %d: %v", node, conn, err)
					}
					if err := scope.SetPeer(id); err != nil {
						t.Fatalf("node %d, connection %d: %v", node, conn, err)
					}
				}
			}
		})
	}
}

// Two who dial each other at all addresses they have, circuits included, have room
// left for the punch; and yet no peer takes what all need.
func TestAPunchFindsRoomBesideAllOtherDials(t *testing.T) {
	t.Parallel()
	rm, id := newResources(t), newPeer(t)
	open := func(dir network.Direction, addr string) error {
		scope, err := rm.OpenConnection(dir, strings.Contains(addr, "/tcp/"), multiaddr.StringCast(addr))
		if err != nil {
			return err
		}
		return scope.SetPeer(id)
	}
	for i := range swarm.DefaultPerPeerRateLimit {
		for _, dir := range []network.Direction{network.DirInbound, network.DirOutbound} {
			if err := open(dir, fmt.Sprintf("/ip4/1.2.3.4/tcp/%d", 1000+i)); err != nil {
				t.Fatalf("dial %d: %v", i, err)
			}
		}
	}
	if err := open(network.DirOutbound, "/ip4/1.2.3.4/tcp/4001"); err != nil {
		t.Errorf("the punch: %v", err)
	}
	got := 0
	for got < connsPerAddress && open(network.DirInbound, fmt.Sprintf("/ip4/1.2.3.4/udp/%d/quic-v1", 2000+got)) == nil {
		got++
	}
	if got >= connsPerPeer {
		t.Errorf("and %d more", got)
	}
}

func TestOneAddressCannotTakeAllConnections(t *testing.T) {
	t.Parallel()
	rm := newResources(t)
	open := func(addr string) error {
		scope, err := rm.OpenConnection(network.DirInbound, true, multiaddr.StringCast(addr))
		if err != nil {
			return err
		}
		return scope.SetPeer(newPeer(t))
	}
	var got int
	for got < 2*connsPerAddress && open(fmt.Sprintf("/ip4/1.2.3.4/udp/%d/quic-v1", 1000+got)) == nil {
		got++
	}
	if got != connsPerAddress {
		t.Errorf("one address got %d connections, want %d", got, connsPerAddress)
	}
	if err := open("/ip4/1.2.3.5/udp/1000/quic-v1"); err != nil {
		t.Errorf("its neighbour is refused: %v", err)
	}
	if err := open("/ip6/2a00::1/udp/1000/quic-v1"); err != nil {
		t.Errorf("IPv6 is refused: %v", err)
	}
}

// A hub that has as many neighbours as it keeps has room for the members of the
// largest group, each with its streams, on a machine that is not large.
func TestTheLargestGroupGetsIn(t *testing.T) {
	t.Parallel()
	rm := newResources(t)
	for i := range manyConns + groupConns {
		id := newPeer(t)
		addr := multiaddr.StringCast(fmt.Sprintf("/ip4/10.0.%d.%d/udp/4001/quic-v1", i>>8, i&0xff))
		conn, err := rm.OpenConnection(network.DirInbound, false, addr)
		if err == nil {
			err = conn.SetPeer(id)
		}
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		for _, name := range []protocol.ID{"/tom/group/1.0.0", "/tom/hub/1.0.0"} {
			stream, err := rm.OpenStream(id, network.DirInbound)
			if err == nil {
				err = stream.SetProtocol(name)
			}
			if err != nil {
				t.Fatalf("connection %d, %s: %v", i, name, err)
			}
		}
	}
	small := scalingLimits()
	if least := small.Scale(0, 0).ToPartialLimitConfig().ProtocolDefault; int(least.StreamsInbound) < manyConns+groupConns {
		t.Errorf("of one protocol there are %d streams", least.StreamsInbound)
	}
}

func TestConnectionsOfOneAddressAreRationed(t *testing.T) {
	t.Parallel()
	rm := newResources(t)
	refused := 0
	for i := range connBurstPerAddr + 40 { // each gone before the next comes
		scope, err := rm.OpenConnection(network.DirInbound, true, multiaddr.StringCast(fmt.Sprintf("/ip4/1.2.3.4/tcp/%d", 1000+i)))
		if err != nil {
			refused++
			continue
		}
		scope.Done()
	}
	if refused == 0 {
		t.Error("connections made and dropped as fast as can be are all taken in")
	}
}

func TestRelayHoldsManyCircuitsAndNoPeerTakesThemAll(t *testing.T) {
	t.Parallel()
	rm := newResources(t)
	hop := func(p peer.ID) error {
		s, err := rm.OpenStream(p, network.DirInbound)
		if err != nil {
			return err
		}
		if err := s.SetProtocol(proto.ProtoIDv2Hop); err != nil {
			s.Done()
			return err
		}
		if err := s.SetService(relay.ServiceName); err != nil {
			s.Done()
			return err
		}
		return nil
	}
	greedy, got := newPeer(t), 0
	for got < 200 && hop(greedy) == nil {
		got++
	}
	if got < 32 || got > 48 {
		t.Errorf("one peer holds %d circuits", got)
	}
	for i := range 200 {
		if err := hop(newPeer(t)); err != nil {
			t.Fatalf("circuit %d of others: %v", i, err)
		}
	}
	err := rm.ViewService(relay.ServiceName, func(s network.ServiceScope) error {
		return s.ReserveMemory(200*2*64<<10, network.ReservationPriorityHigh)
	})
	if err != nil {
		t.Errorf("no memory for the buffers of 200 circuits: %v", err)
	}
}

func TestAHostWithLowMemoryGrantsLess(t *testing.T) {
	t.Parallel()
	usual, frugal := new(Config), &Config{LowMemory: true}
	if few, many := frugal.marks(); few != fewConns/3 || many != manyConns/3 {
		t.Errorf("it keeps %d to %d connections", few, many)
	}
	if few, many := (&Config{LowMemory: true, FewConns: 5, ManyConns: 7}).marks(); few != 5 || many != 7 {
		t.Errorf("told to keep 5 to 7 connections, it keeps %d to %d", few, many)
	}
	more, less := usual.limits().ToPartialLimitConfig().System, frugal.limits().ToPartialLimitConfig().System
	if less.Memory != frugalMemory || more.Memory <= frugalMemory {
		t.Errorf("its peers may take %d bytes, usually %d", less.Memory, more.Memory)
	}
	large := (&Config{ManyConns: 3000}).limits().ToPartialLimitConfig().System
	if large.ConnsInbound < 6000 || more.ConnsInbound >= 6000 {
		t.Errorf("one that is to have 3 000 connections lets in %d, and usually %d", large.ConnsInbound, more.ConnsInbound)
	}
	if int(less.Conns) != manyConns || less.Conns >= more.Conns {
		t.Errorf("it lets in %d connections, usually %d", less.Conns, more.Conns)
	}
}
