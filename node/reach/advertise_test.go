package reach

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestWhatIsAdvertised(t *testing.T) {
	t.Parallel()
	start := time.Unix(1000, 0)
	behind := Uplink{V4: netip.MustParseAddr("192.168.1.5")}
	open := Uplink{V4: netip.MustParseAddr("1.2.3.4")}
	const circuit = "/ip4/9.9.9.9/udp/1/quic-v1" + through
	for name, c := range map[string]struct {
		view advert
		at   time.Duration
		from []string
		want []string
	}{
		"no circuit yet: everything": {
			advert{uplink: behind}, 0, []string{lan4, quic4}, []string{lan4, quic4},
		},
		"behind a NAT, what only others have seen is kept back": {
			advert{uplink: behind}, time.Hour, []string{lan4, quic4, circuit}, []string{lan4, circuit},
		},
		"an own address waits for a verdict": {
			advert{uplink: open}, patience - 1, []string{quic4, tcp4, circuit}, []string{circuit},
		},
		"but not for ever": {
			advert{uplink: open}, patience, []string{quic4, tcp4, circuit}, []string{quic4, tcp4, circuit},
		},
		"who vouches waits for nobody": {
			advert{uplink: behind, vouched: true}, 0, []string{quic4, circuit}, []string{quic4, circuit},
		},
		"a name was configured by somebody who knew": {
			advert{uplink: behind}, 0, []string{"/dns4/example.net/tcp/1", circuit}, []string{"/dns4/example.net/tcp/1", circuit},
		},
		"IPv6 is confirmed: circuits for those without": {
			advert{uplink: open, wanted: true, circuits: addrs(circuit), judged: addrs(quic6)}, 0, []string{quic6}, []string{quic6, circuit},
		},
		"confirmed a moment ago, and not judged yet": {
			advert{uplink: behind, wanted: true, circuits: addrs(circuit)}, time.Hour, []string{lan4, quic4}, []string{lan4, circuit},
		},
		"judged": {
			advert{uplink: behind, wanted: true, circuits: addrs(circuit), judged: addrs(quic4)}, 0, []string{lan4, quic4, tcp4}, []string{lan4, quic4, circuit},
		},
		"in doubt, without a circuit": {
			advert{uplink: behind, wanted: true, doubted: addrs(quic4)}, 0, []string{lan4, quic4}, []string{lan4, quic4},
		},
		"no circuit twice": {
			advert{uplink: behind, wanted: true, circuits: addrs(circuit)}, 0, []string{lan4, circuit}, []string{lan4, circuit},
		},
	} {
		c.view.since = start
		var got []string
		for _, a := range c.view.pick(start.Add(c.at), addrs(c.from...)) {
			got = append(got, a.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %v\nwant %v", name, got, c.want)
		}
	}
}

func TestAddressesOfTheLastUplinkAreReplaced(t *testing.T) {
	t.Parallel()
	home := Uplink{V4: netip.MustParseAddr("192.168.1.5"), V6: netip.MustParseAddr("2a00::1"), Nets: []netip.Prefix{netip.MustParsePrefix("192.168.1.5/24"), netip.MustParsePrefix("172.17.0.1/16")}}
	cafe := Uplink{V4: netip.MustParseAddr("10.0.0.7"), Nets: []netip.Prefix{netip.MustParsePrefix("10.0.0.7/24"), netip.MustParsePrefix("172.17.0.1/16")}}
	v := advert{uplink: home}
	v.move(time.Unix(1, 0), cafe)
	stale := addrs(lan4, "/ip6/2a00::1/tcp/4001", "/ip4/172.17.0.1/tcp/4001", "/ip4/10.0.0.7/udp/4001/quic-v1")
	show := func() (got []string) {
		for _, a := range v.pick(time.Unix(1, 0), stale) {
			got = append(got, a.String())
		}
		return got
	}
	if got, want := show(), []string{"/ip4/10.0.0.7/udp/4001/quic-v1", "/ip4/172.17.0.1/tcp/4001"}; !slices.Equal(got, want) {
		t.Errorf("in the cafe: %v, want %v", got, want)
	}
	v.move(time.Unix(2, 0), home)
	if got, want := show(), []string{lan4, "/ip6/2a00::1/tcp/4001", "/ip4/172.17.0.1/tcp/4001"}; !slices.Equal(got, want) {
		t.Errorf("home again: %v, want %v", got, want)
	}
	for i := range 1000 {
		v.move(time.Unix(3, 0), Uplink{V4: netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})})
	}
	if len(v.gone) > maxGone {
		t.Errorf("%d former addresses are remembered", len(v.gone))
	}
}
