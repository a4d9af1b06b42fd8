package host

import (
	"context"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/multiformats/go-multiaddr"
)

func TestWhoDialsInAPunch(t *testing.T) {
	t.Parallel()
	const v4, v6 = "/ip4/8.8.8.8/udp/4001/quic-v1", "/ip6/2001:db8::1/udp/4001/quic-v1"
	by4 := func(v6 bool) bool { return !v6 }
	plain := context.Background()
	waits, dials := network.WithSimultaneousConnect(plain, false, ""), network.WithSimultaneousConnect(plain, true, "")
	for name, c := range map[string]struct {
		symmetric func(bool) bool
		told      context.Context
		to        string
		punch     bool
		dials     bool
	}{
		"no punch":                 {by4, plain, v4, false, false},
		"who is told to dial":      {by4, dials, v4, true, true},
		"who is told to wait":      {nil, waits, v4, true, false},
		"who cannot be dialled":    {by4, waits, v4, true, true},
		"who can, by the other IP": {by4, waits, v6, true, false},
	} {
		q := &punchedQUIC{symmetric: c.symmetric}
		punch, dials, _ := network.GetSimultaneousConnect(q.part(c.told, multiaddr.StringCast(c.to)))
		if punch != c.punch || dials != c.dials {
			t.Errorf("%s: punch is %v, dials %v", name, punch, dials)
		}
	}
}
