package reach

import (
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

func TestSymmetricIsJudgedByFamily(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		seen4, seen6 []int // the ports that peers saw
		v4, v6       bool
	}{
		"nobody has seen anything": {},
		"one alone proves nothing": {seen4: []int{1}, seen6: []int{2}},
		"one port for all":         {seen4: []int{1, 1, 1}, seen6: []int{1, 1}},
		"another for each by IPv4": {seen4: []int{1, 2, 3}, seen6: []int{1, 1}, v4: true},
		"another for each by IPv6": {seen4: []int{1, 1}, seen6: []int{1, 2}, v6: true},
	} {
		s := New(Config{})
		see := func(observer, local, at string, ports []int) {
			for i, port := range ports {
				s.seen.add(fmt.Sprint(observer, i), multiaddr.StringCast(local), multiaddr.StringCast(fmt.Sprintf(observer, i+1)), multiaddr.StringCast(fmt.Sprintf(at, port)))
			}
		}
		see("/ip4/8.8.8.%d/udp/4001/quic-v1", "/ip4/192.168.1.5/udp/4001/quic-v1", "/ip4/1.2.3.4/udp/%d/quic-v1", c.seen4)
		see("/ip6/2600:%d::1/udp/4001/quic-v1", "/ip6/fd00::5/udp/4001/quic-v1", "/ip6/2601::1/udp/%d/quic-v1", c.seen6)
		if s.Symmetric(false) != c.v4 || s.Symmetric(true) != c.v6 {
			t.Errorf("%s: symmetric is %v by IPv4, %v by IPv6", name, s.Symmetric(false), s.Symmetric(true))
		}
	}
}

func TestPunchIsHurriedOnce(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	now := time.Now()
	later := now.Add(time.Hour)
	s.punches["first"], s.punches["tried"], s.punches["again"] = circuit{due: later}, circuit{tries: 1, due: later}, circuit{due: later, hurried: true}
	for _, id := range []peer.ID{"first", "tried", "again", "stranger"} {
		s.hurryPunch(id)
	}
	if s.punches["first"].due.After(time.Now()) || s.punches["tried"].due != later || s.punches["again"].due != later || len(s.punches) != 3 {
		t.Errorf("punches due: %v", s.punches)
	}
}
