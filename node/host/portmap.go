package host

import (
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/network"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	"github.com/multiformats/go-multiaddr"
)

// portMap asks routers for ports, by UPnP and NAT-PMP, and remembers whom to ask
// what came of it.
type portMap struct{ asked atomic.Pointer[asked] }

type asked struct {
	net network.Network
	nat basichost.NATManager
}

func (p *portMap) manager(net network.Network) basichost.NATManager {
	nat := basichost.NewNATManager(net)
	p.asked.Store(&asked{net, nat})
	return nat
}

// addrs are the addresses that the router gave, as far as it has one to give.
func (p *portMap) addrs() []multiaddr.Multiaddr {
	a := p.asked.Load()
	if a == nil {
		return nil
	}
	var mapped []multiaddr.Multiaddr
	for _, listen := range a.net.ListenAddresses() {
		if m := a.nat.GetMapping(listen); m != nil {
			mapped = append(mapped, m)
		}
	}
	return mapped
}
