package host

import (
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

func TestDialOrder(t *testing.T) {
	t.Parallel()
	known, other := newPeer(t), newPeer(t)
	const direct = "/ip4/1.2.3.4/udp/1/quic-v1"
	through := func(id peer.ID, base string) string { return base + "/p2p/" + id.String() + "/p2p-circuit" }
	const quic, tcp = "/ip4/5.6.7.8/udp/2/quic-v1", "/ip4/5.6.7.8/tcp/2"
	for name, c := range map[string]struct {
		addrs []string
		want  map[string]time.Duration
	}{
		"direct alone waits for nothing": {
			[]string{direct}, map[string]time.Duration{direct: 0},
		},
		"a circuit alone waits for nothing": {
			[]string{through(other, quic)}, map[string]time.Duration{through(other, quic): 0},
		},
		"direct gets a short head start": {
			[]string{through(known, quic), direct},
			map[string]time.Duration{direct: 0, through(known, quic): relayDelay},
		},
		"connected relays first, each address of a relay but one last": {
			[]string{through(other, quic), through(known, tcp), through(known, quic)},
			map[string]time.Duration{
				through(known, tcp): 0, through(other, quic): strangerDelay, through(known, quic): 2*strangerDelay + sameDelay,
			},
		},
		"further addresses of a relay that is not connected may be better ones": {
			[]string{through(other, quic), through(other, tcp)},
			map[string]time.Duration{through(other, quic): 0, through(other, tcp): strangerDelay},
		},
		"a circuit that names no relay is not the undoing of the others": {
			[]string{"/p2p-circuit", through(known, quic)},
			map[string]time.Duration{through(known, quic): 0, "/p2p-circuit": strangerDelay},
		},
	} {
		var addrs []multiaddr.Multiaddr
		for _, a := range c.addrs {
			addrs = append(addrs, multiaddr.StringCast(a))
		}
		got := ranker(nil, func(p peer.ID) bool { return p == known })(addrs)
		if len(got) != len(c.want) {
			t.Errorf("%s: %d of %d addresses are dialled", name, len(got), len(c.want))
		}
		for i, d := range got {
			if want, ok := c.want[d.Addr.String()]; !ok || d.Delay != want {
				t.Errorf("%s: %s after %v, want %v", name, d.Addr, d.Delay, want)
			}
			if i > 0 && d.Delay < got[i-1].Delay {
				t.Errorf("%s: %s comes after one that waits longer", name, d.Addr)
			}
		}
	}
}

func TestTCPFirst(t *testing.T) {
	t.Parallel()
	const quic, tcp, lan = "/ip4/1.2.3.4/udp/1/quic-v1", "/ip4/1.2.3.4/tcp/1", "/ip4/192.168.1.2/udp/1/quic-v1"
	first := func(want bool) map[string]time.Duration {
		got := make(map[string]time.Duration)
		rank := ranker(func() bool { return want }, func(peer.ID) bool { return false })
		for _, d := range rank([]multiaddr.Multiaddr{multiaddr.StringCast(quic), multiaddr.StringCast(tcp), multiaddr.StringCast(lan)}) {
			got[d.Addr.String()] = d.Delay
		}
		return got
	}
	if got := first(true); got[tcp] >= got[quic] || got[tcp] != 0 || got[lan] != 0 {
		t.Errorf("wanted: %v", got)
	}
	if got := first(false); got[tcp] <= got[quic] {
		t.Errorf("not wanted: %v", got)
	}
}
