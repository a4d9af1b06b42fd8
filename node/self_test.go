package node

import (
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/presence"
)

// placed is a host that is somewhere else.
type placed struct {
	host.Host
	at []multiaddr.Multiaddr
}

func (p placed) Addrs() []multiaddr.Multiaddr { return p.at }

// What others are told of this node they dial, wherever they are; nodes that keep
// to one machine have nothing but loopback.
func TestOnlyThisMachineIsToldOfLoopback(t *testing.T) {
	t.Parallel()
	loopback, lan := multiaddr.StringCast("/ip4/127.0.0.1/udp/4001/quic-v1"), multiaddr.StringCast("/ip4/192.168.1.2/udp/4001/quic-v1")
	for name, c := range map[string]struct {
		local bool
		want  []multiaddr.Multiaddr
	}{
		"on one machine": {true, []multiaddr.Multiaddr{lan, loopback}},
		"in a network":   {false, []multiaddr.Multiaddr{lan}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := quiet(t, Config{})
			n.host, n.hostInfo.Local = placed{n.host, []multiaddr.Multiaddr{loopback, lan}}, c.local
			said, err := presence.Parse(protocols.Main, n.presence.Own(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			for what, list := range map[string][][]byte{"presence": said.Addrs, "invitation": n.invitationAddrs()} {
				var got []multiaddr.Multiaddr
				for _, b := range list {
					a, err := multiaddr.NewMultiaddrBytes(b)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, a.Decapsulate(multiaddr.StringCast("/p2p/"+n.ID())))
				}
				if !slices.EqualFunc(got, c.want, multiaddr.Multiaddr.Equal) {
					t.Errorf("%s: %v, want %v", what, got, c.want)
				}
			}
			if got := n.Addrs(); len(got) != 2 {
				t.Errorf("who asks on this machine is told of %v", got)
			}
		})
	}
}
