package host_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/node/host"
)

func newKey(t *testing.T) crypto.PrivKey {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func start(t *testing.T, cfg host.Config) (libp2phost.Host, host.Info) {
	t.Helper()
	cfg.Key = newKey(t)
	h, info, err := host.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h, info
}

func TestPortIsKept(t *testing.T) {
	t.Parallel()
	first, info := start(t, host.Config{Local: true})
	if info.Port == 0 || info.PortTaken || !info.Local {
		t.Fatalf("first start: %+v", info)
	}
	_ = first.Close()

	second, again := start(t, host.Config{Local: true, Port: info.Port})
	if again.Port != info.Port || again.PortTaken {
		t.Errorf("second start: %+v, want port %d again", again, info.Port)
	}
	for _, a := range sockets(second) {
		if !strings.Contains(a.String(), "/"+portText(info.Port)) {
			t.Errorf("listens on %s, want port %d everywhere", a, info.Port)
		}
	}

	_, third := start(t, host.Config{Local: true, Port: info.Port})
	if third.Port == info.Port || !third.PortTaken {
		t.Errorf("start beside another: %+v, want another port and to be told", third)
	}
}

func portText(port int) string {
	_, text, _ := net.SplitHostPort((&net.UDPAddr{Port: port}).String())
	return text
}

func TestTakenTCPPortCountsAsTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	port := l.Addr().(*net.TCPAddr).Port
	_, info := start(t, host.Config{Local: true, Port: port})
	if info.Port == port || !info.PortTaken {
		t.Errorf("%+v, want another port than %d", info, port)
	}
}

func TestFixedPortsStay(t *testing.T) {
	t.Parallel()
	h, info, fixed := onFixedPort(t)
	defer func() { _ = h.Close() }()
	if !info.Local || info.Port != 7 || info.PortTaken {
		t.Errorf("%+v, want a local host that leaves the kept port alone", info)
	}
	if got := sockets(h); len(got) != 1 || got[0].String() != fixed {
		t.Errorf("listens on %v, want %s", got, fixed)
	}
}

// onFixedPort starts a host on a port that was free a moment ago; somebody else
// may take it first, but not every time.
func onFixedPort(t *testing.T) (h libp2phost.Host, info host.Info, fixed string) {
	t.Helper()
	for range 10 {
		l, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.LocalAddr().(*net.UDPAddr).Port
		_ = l.Close()
		fixed = "/ip4/127.0.0.1/udp/" + portText(port) + "/quic-v1"
		if h, info, err = host.New(host.Config{Key: newKey(t), Listen: []string{fixed}, Port: 7}); err == nil {
			return h, info, fixed
		}
	}
	t.Fatal("ten free ports were taken")
	return nil, info, ""
}

func TestBadListenAddressesAreNamed(t *testing.T) {
	t.Parallel()
	if _, _, err := host.New(host.Config{Key: newKey(t), Listen: []string{"127.0.0.1:9"}}); err == nil || !strings.Contains(err.Error(), "127.0.0.1:9") {
		t.Errorf("%v, want the address named", err)
	}
	_, _, err := host.New(host.Config{Key: newKey(t), Local: true, Listen: []string{"/ip4/0.0.0.0/tcp/0"}})
	if !errors.Is(err, host.ErrNotLocal) {
		t.Errorf("%v, want ErrNotLocal", err)
	}
}

func TestEveryTransportThatIsNamed(t *testing.T) {
	t.Parallel()
	for name, addr := range map[string]string{
		"quic":         "/ip4/127.0.0.1/udp/0/quic-v1",
		"tcp":          "/ip4/127.0.0.1/tcp/0",
		"websocket":    "/ip4/127.0.0.1/tcp/0/ws",
		"webtransport": "/ip4/127.0.0.1/udp/0/quic-v1/webtransport",
		"webrtc":       "/ip4/127.0.0.1/udp/0/webrtc-direct",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, _ := start(t, host.Config{Listen: []string{addr}})
			b, _ := start(t, host.Config{Listen: []string{addr}}) // dials by what it listens on
			connect(t, b, a)
		})
	}
}

func TestQUICComesFirst(t *testing.T) {
	t.Parallel()
	a, _ := start(t, host.Config{Local: true})
	b, _ := start(t, host.Config{Local: true})
	connect(t, b, a)
	conn := b.Network().ConnsToPeer(a.ID())[0]
	if _, err := conn.RemoteMultiaddr().ValueForProtocol(multiaddr.P_QUIC_V1); err != nil {
		t.Errorf("connected by %s, want QUIC", conn.RemoteMultiaddr())
	}
}

func connect(t *testing.T, from, to libp2phost.Host) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := from.Connect(ctx, peer.AddrInfo{ID: to.ID(), Addrs: to.Addrs()}); err != nil {
		t.Fatal(err)
	}
}

func TestMetricsGoIntoTheGivenRegistryOnly(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	a, _ := start(t, host.Config{Local: true, Registerer: reg})
	b, _ := start(t, host.Config{Local: true})
	connect(t, b, a)
	if families, err := reg.Gather(); err != nil || !hasLibp2p(families) {
		t.Errorf("no metrics of libp2p in our registry (%v)", err)
	}
	if families, err := prometheus.DefaultGatherer.Gather(); err != nil || hasLibp2p(families) {
		t.Errorf("metrics of libp2p in the default registry (%v)", err)
	}
}

func hasLibp2p[F interface{ GetName() string }](families []F) bool {
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "libp2p_") {
			return true
		}
	}
	return false
}

// childMark tells the test binary to be the child of TestPrintsNothing.
const childMark = "TOM_TEST_HOST_CHILD"

func TestPrintsNothing(t *testing.T) {
	t.Parallel()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChildOfPrintsNothing$")
	child.Env = append(os.Environ(), childMark+"=1")
	out, err := child.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "PASS" {
		t.Errorf("the child said (%v):\n%s", err, out)
	}
}

func TestChildOfPrintsNothing(t *testing.T) {
	if os.Getenv(childMark) == "" {
		return // its parent runs it
	}
	a, _ := start(t, host.Config{NoPortMap: true})
	b, _ := start(t, host.Config{NoPortMap: true})
	connect(t, b, a)
}

// sockets are the addresses that a host listens on but for those of circuits.
func sockets(h libp2phost.Host) []multiaddr.Multiaddr {
	return slices.DeleteFunc(h.Network().ListenAddresses(), func(a multiaddr.Multiaddr) bool {
		_, err := a.ValueForProtocol(multiaddr.P_CIRCUIT)
		return err == nil
	})
}
