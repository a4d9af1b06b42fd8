package natlab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/localapi"
)

// mapping is a symmetric NAT that gives ports to those who ask for them: what goes
// to one of these leads inside, whoever sends it.
var mapping = nat{name: "symmetric, maps ports", rules: symmetric.rules + `
table ip mapped {
	map ports { type inet_proto . inet_service : ipv4_addr . inet_service; }
	chain pre {
		type nat hook prerouting priority dstnat;
		iifname "up0" ip daddr $up meta l4proto { tcp, udp } dnat ip to meta l4proto . th dport map @ports
	}
}`}

// mapper is a router's end of NAT-PMP (RFC 6886), as far as a home needs it: it
// says what the address outside is, and maps ports for as long as the test lasts.
type mapper struct {
	t       *testing.T
	router  *node
	conn    *net.UDPConn
	begun   time.Time
	granted map[string]bool // "udp . 4001": the ports outside that lead inside
}

const pmpPort = 5351

// What NAT-PMP calls its requests; an answer has the highest bit set.
const (
	pmpAddress = 0
	pmpUDP     = 1
	pmpTCP     = 2
)

// mapPorts has a router of the kind mapping give ports, until the test ends.
func mapPorts(t *testing.T, router *node) {
	t.Helper()
	m := &mapper{t: t, router: router, begun: time.Now(), granted: make(map[string]bool)}
	err := within(router.namespace, func() (err error) {
		m.conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(bare(router.down.gatewayAddrs()[0])), Port: pmpPort})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		m.serve()
	}()
	t.Cleanup(func() {
		_ = m.conn.Close()
		<-ended
	})
}

func (m *mapper) serve() {
	var request [64]byte
	for {
		n, from, err := m.conn.ReadFromUDPAddrPort(request[:])
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				m.t.Error(err)
			}
			return
		}
		if answer := m.answer(request[:n], from.Addr().Unmap()); answer != nil {
			_, _ = m.conn.WriteToUDPAddrPort(answer, from)
		}
	}
}

// answer is nil for what is no request. The result in it, zero, is success.
func (m *mapper) answer(request []byte, from netip.Addr) []byte {
	if len(request) < 2 || request[0] != 0 {
		return nil
	}
	b := []byte{0, request[1] | 1<<7, 0, 0}
	b = binary.BigEndian.AppendUint32(b, uint32(time.Since(m.begun)/time.Second))
	switch {
	case request[1] == pmpAddress:
		outside := netip.MustParseAddr(bare(m.router.addrs[0])).As4()
		return append(b, outside[:]...)
	case (request[1] == pmpUDP || request[1] == pmpTCP) && len(request) == 12:
		inside, outside := binary.BigEndian.Uint16(request[4:]), binary.BigEndian.Uint16(request[6:])
		protocol := map[byte]string{pmpUDP: "udp", pmpTCP: "tcp"}[request[1]]
		if err := m.grant(protocol, outside, netip.AddrPortFrom(from, inside)); err != nil {
			m.t.Error(err)
			return nil
		}
		return append(b, request[4:]...) // as asked for
	}
	return nil
}

// grant has a port outside lead to one inside. Nobody takes back what was granted.
func (m *mapper) grant(protocol string, outside uint16, to netip.AddrPort) error {
	port := fmt.Sprintf("%s . %d", protocol, outside)
	if outside == 0 || m.granted[port] {
		return nil
	}
	m.granted[port] = true
	rule := fmt.Sprintf("add element ip mapped ports { %s : %s . %d }\n", port, to.Addr(), to.Port())
	_, err := command(rule, "ip", "netns", "exec", m.router.namespace, "nft", "-f", "-")
	return err
}

// Two homes whose routers make it impossible to punch a hole meet over a relay and
// stay there, as the pair of them shows; unless one's router can be asked.
func TestAPortThatTheRouterGaveIsDialled(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.startPublics(t, "p1", "p2", "p3")
	homes := l.add(t, behind(mapping, alice).called("router"), behind(symmetric, bob))
	mapPorts(t, homes.site("router"))
	a, b := l.start(t, homes.site("alice")), l.start(t, homes.site("bob"))
	outside := "/ip4/" + bare(homes.site("router").addrs[0]) + "/"
	begin := time.Now()
	a.await(t, "is public, by its router's address", func(s localapi.Status) bool {
		return s.Reachability == "public" && slices.ContainsFunc(s.Addrs, func(addr string) bool { return strings.HasPrefix(addr, outside) })
	})
	asked := time.Since(begin)
	d, err := a.Client.Doctor(t.Context())
	if err != nil || len(d.PortMappings) == 0 {
		t.Errorf("mapped by the router: %v, %v", d.PortMappings, err)
	}
	b.ready(t)
	a.settle(t)
	b.settle(t)
	m := meet(t, b, a, watchDirect)
	if !m.direct {
		t.Errorf("no direct connection: %v", m)
	}
	report(fmt.Sprintf("a router that maps ports (NAT-PMP), between symmetric NATs: reachable after %v; %v\n", asked.Round(time.Millisecond), m))
}
