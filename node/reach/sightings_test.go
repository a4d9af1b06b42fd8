package reach

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/multiformats/go-multiaddr"
)

func TestMappingOfNATs(t *testing.T) {
	t.Parallel()
	const here, hereTCP = "/ip4/192.168.1.5/udp/4001/quic-v1", "/ip4/192.168.1.5/tcp/4001"
	type seen struct{ local, observer, at string }
	by := func(n int, port int) seen {
		return seen{here, fmt.Sprintf("/ip4/8.8.8.%d/udp/4001/quic-v1", n), fmt.Sprintf("/ip4/1.2.3.4/udp/%d/quic-v1", port)}
	}
	for name, c := range map[string]struct {
		seen []seen
		udp  Mapping
		tcp  Mapping
	}{
		"nobody":                          {nil, MappingUnknown, MappingUnknown},
		"one alone proves nothing":        {[]seen{by(1, 4001)}, MappingUnknown, MappingUnknown},
		"one twice neither":               {[]seen{by(1, 4001), by(1, 4002)}, MappingUnknown, MappingUnknown},
		"two saw one port":                {[]seen{by(1, 999), by(2, 999)}, MappingIndependent, MappingUnknown},
		"two saw two":                     {[]seen{by(1, 999), by(2, 1000)}, MappingDependent, MappingUnknown},
		"no translation":                  {[]seen{{"/ip4/5.5.5.5/udp/1/quic-v1", "/ip4/8.8.8.8/udp/1/quic-v1", "/ip4/5.5.5.5/udp/1/quic-v1"}}, MappingNone, MappingUnknown},
		"transports are judged apart":     {[]seen{by(1, 999), by(2, 999), {hereTCP, "/ip4/8.8.8.1/tcp/1", "/ip4/1.2.3.4/tcp/7"}, {hereTCP, "/ip4/8.8.8.2/tcp/1", "/ip4/1.2.3.4/tcp/8"}}, MappingIndependent, MappingDependent},
		"ports of their own say nothing":  {[]seen{{"/ip4/192.168.1.5/tcp/50001", "/ip4/8.8.8.1/tcp/1", "/ip4/1.2.3.4/tcp/7"}, {"/ip4/192.168.1.5/tcp/50002", "/ip4/8.8.8.2/tcp/1", "/ip4/1.2.3.4/tcp/8"}}, MappingUnknown, MappingUnknown},
		"what a LAN peer sees is no news": {[]seen{{here, "/ip4/192.168.1.9/udp/1/quic-v1", here}, by(1, 999)}, MappingUnknown, MappingUnknown},
		"nonsense":                        {[]seen{{here, "/ip4/8.8.8.8/udp/1/quic-v1", "/ip4/1.2.3.4/tcp/1"}, {here, "/ip4/8.8.8.8/udp/1/quic-v1" + through, here}, {here, "/dns4/x/tcp/1", "/p2p-circuit"}}, MappingUnknown, MappingUnknown},
	} {
		s := make(sightings)
		for i, g := range c.seen {
			s.add(fmt.Sprint(i), multiaddr.StringCast(g.local), multiaddr.StringCast(g.observer), multiaddr.StringCast(g.at))
		}
		mine := func(a netip.Addr) bool {
			return a == netip.MustParseAddr("5.5.5.5") || a == netip.MustParseAddr("192.168.1.5")
		}
		if got := s.mapping(false, false, mine); got != c.udp {
			t.Errorf("%s: UDP is %s, want %s", name, got, c.udp)
		}
		if got := s.mapping(true, false, mine); got != c.tcp {
			t.Errorf("%s: TCP is %s, want %s", name, got, c.tcp)
		}
	}
}

func TestSightingsAreBounded(t *testing.T) {
	t.Parallel()
	s := make(sightings)
	for i := range 2 * maxSightings {
		s.add(fmt.Sprint(i), multiaddr.StringCast(lan4), multiaddr.StringCast("/ip4/8.8.8.8/udp/1/quic-v1"), multiaddr.StringCast(quic4))
	}
	if len(s) != maxSightings {
		t.Errorf("%d sightings are kept", len(s))
	}
	s.add("nil", nil, nil, nil)
}

func TestOnlyNeighboursAreDialledInTheLAN(t *testing.T) {
	t.Parallel()
	u := Uplink{V4: netip.MustParseAddr("192.168.1.5"), Nets: []netip.Prefix{netip.MustParsePrefix("192.168.1.5/24"), netip.MustParsePrefix("1.2.3.4/24")}}
	for addr, want := range map[string]bool{
		"/ip4/192.168.1.9/udp/1/quic-v1":           true,
		"/ip4/192.168.1.9/tcp/1":                   true,
		"/ip4/192.168.2.9/udp/1/quic-v1":           false, // another network
		"/ip4/192.168.1.5/udp/1/quic-v1":           false, // ourselves
		"/ip4/127.0.0.1/udp/1/quic-v1":             false,
		"/ip4/1.2.3.9/udp/1/quic-v1":               false, // public: holes are for those
		"/ip4/192.168.1.9/udp/1/quic-v1" + through: false,
	} {
		if got := inLAN(u, addrs(addr)); (len(got) == 1) != want {
			t.Errorf("%s is dialled: %v, want %v", addr, !want, want)
		}
	}
	var many []string
	for i := range 50 {
		many = append(many, fmt.Sprintf("/ip4/192.168.1.%d/udp/1/quic-v1", 100+i))
	}
	if got := inLAN(u, addrs(many...)); len(got) != lanAddrs {
		t.Errorf("%d addresses of one peer are dialled", len(got))
	}
}

func TestUplinkOfThisMachineIsRead(t *testing.T) {
	t.Parallel()
	u := ReadUplink()
	if !u.Is(ReadUplink()) {
		t.Error("two looks differ")
	}
	for _, n := range u.Nets {
		if n.Addr().IsLoopback() {
			t.Errorf("%s is no way out", n)
		}
	}
}

func TestUplinksThatDiffer(t *testing.T) {
	t.Parallel()
	a := func(v4, v6 string) Uplink {
		var u Uplink
		if v4 != "" {
			u.V4 = netip.MustParseAddr(v4)
		}
		if v6 != "" {
			u.V6 = netip.MustParseAddr(v6)
		}
		return u
	}
	for name, c := range map[string]struct {
		a, b Uplink
		same bool
	}{
		"nothing and nothing":     {a("", ""), a("", ""), true},
		"another IPv4":            {a("10.0.0.1", ""), a("10.0.0.2", ""), false},
		"IPv6 came":               {a("10.0.0.1", ""), a("10.0.0.1", "2a00::1"), false},
		"an IPv6 for privacy":     {a("", "2a00::1"), a("", "2a00::ffff"), true},
		"another IPv6 network":    {a("", "2a00::1"), a("", "2a00:0:0:1::1"), false},
		"all gone is another too": {a("10.0.0.1", ""), a("", ""), false},
	} {
		if got := c.a.Is(c.b); got != c.same {
			t.Errorf("%s: same is %v", name, got)
		}
	}
}
