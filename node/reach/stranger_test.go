package reach

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/multiformats/go-multiaddr"
)

func TestWhoComesFromWhereNothingWasSentIsBelieved(t *testing.T) {
	t.Parallel()
	const (
		udp4, tcp4 = "/ip4/2.0.0.1/udp/4001/quic-v1", "/ip4/2.0.0.1/tcp/4001"
		udp6       = "/ip6/2600::1/udp/4001/quic-v1"
	)
	for name, c := range map[string]struct {
		sent, came string
		after      time.Duration
		believed   string // the only one of the three; empty: none
	}{
		"nobody comes":                    {"/ip4/9.0.0.1/udp/1/quic-v1", "", time.Hour, ""},
		"a stranger":                      {"/ip4/9.0.0.1/udp/1/quic-v1", "/ip4/9.0.0.2/udp/1/quic-v1", time.Hour, udp4},
		"by TCP":                          {"", "/ip4/9.0.0.2/tcp/1", time.Hour, tcp4},
		"by IPv6":                         {"", "/ip6/2600::9/udp/1/quic-v1", time.Hour, udp6},
		"soon, perhaps by an old hole":    {"", "/ip4/9.0.0.2/udp/1/quic-v1", holesLast - time.Second, ""},
		"from another port of one spoken": {"/ip4/9.0.0.1/udp/1/quic-v1", "/ip4/9.0.0.1/udp/2/quic-v1", time.Hour, ""},
		"by TCP from one spoken to":       {"/ip4/9.0.0.1/udp/1/quic-v1", "/ip4/9.0.0.1/tcp/2", time.Hour, ""},
		"by a circuit":                    {"", "/ip4/9.0.0.2/udp/1/quic-v1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN/p2p-circuit", time.Hour, ""},
		"from the LAN":                    {"", "/ip4/192.168.1.7/udp/1/quic-v1", time.Hour, ""},
	} {
		start := time.Unix(1000, 0)
		s := strangers{since: start}
		if c.sent != "" {
			s.dialled(multiaddr.StringCast(c.sent))
		}
		if c.came != "" {
			news := s.accepted(start.Add(c.after), multiaddr.StringCast(c.came))
			if news != (c.believed != "") || s.accepted(start.Add(c.after), multiaddr.StringCast(c.came)) {
				t.Errorf("%s: news %v, or twice", name, news)
			}
		}
		all := []multiaddr.Multiaddr{multiaddr.StringCast(udp4), multiaddr.StringCast(tcp4), multiaddr.StringCast(udp6)}
		doubted := s.doubted(all, nil, func(netip.Addr) bool { return false })
		for _, a := range all {
			if believed := !multiaddr.Contains(doubted, a); believed != (a.String() == c.believed) {
				t.Errorf("%s: %s is believed: %v", name, a, believed)
			}
		}
	}
}

func TestOwnAndMappedAddressesAreNotDoubted(t *testing.T) {
	t.Parallel()
	var s strangers
	own, mapped := multiaddr.StringCast("/ip4/3.0.0.1/udp/1/quic-v1"), multiaddr.StringCast("/ip4/2.0.0.1/udp/7/quic-v1")
	other := multiaddr.StringCast("/ip4/2.0.0.1/udp/8/quic-v1")
	lan := multiaddr.StringCast("/ip4/10.0.0.1/udp/8/quic-v1")
	all := []multiaddr.Multiaddr{own, mapped, other, lan}
	doubted := s.doubted(all, []multiaddr.Multiaddr{mapped}, func(a netip.Addr) bool { return a == netip.MustParseAddr("3.0.0.1") })
	if len(doubted) != 1 || !doubted[0].Equal(other) || len(without(all, doubted)) != 3 {
		t.Errorf("doubted are %v", doubted)
	}
}

func TestWhoHasSentToTooManyLearnsNothing(t *testing.T) {
	t.Parallel()
	var s strangers
	for i := range 2 * maxSpoken {
		s.dialled(multiaddr.StringCast(fmt.Sprintf("/ip4/9.%d.%d.1/tcp/1", i>>8, i&255)))
	}
	if len(s.spoken) > maxSpoken+1 {
		t.Errorf("%d remembered", len(s.spoken))
	}
	if s.accepted(time.Now(), multiaddr.StringCast("/ip4/8.0.0.1/tcp/1")) {
		t.Error("somebody who was forgotten is taken for a stranger")
	}
}

func TestTrials(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	var l trial
	if l.on(now) || l.failed(now) {
		t.Error("a trial that nobody planned")
	}
	begin := now.Add(time.Minute)
	l.plan(begin)
	l.plan(begin.Add(time.Hour)) // says nothing new
	if l.on(now) || !l.on(begin) {
		t.Errorf("on %v before, %v at its begin", l.on(now), l.on(begin))
	}
	if l.failed(begin.Add(hearsay-1)) || !l.on(begin.Add(time.Hour)) {
		t.Error("who has not heard of it ends it, or time does")
	}
	var trials int
	for now = begin.Add(hearsay); now.Before(begin.Add(30 * 24 * time.Hour)); now = l.begins.Add(hearsay) {
		if !l.failed(now) || l.on(now) {
			t.Fatalf("trial %d goes on though somebody came by a circuit", trials)
		}
		trials++
	}
	if trials < 60 || trials > 70 {
		t.Errorf("%d trials in a month", trials)
	}
}
