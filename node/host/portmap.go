package host

import (
	"errors"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/network"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	"github.com/multiformats/go-multiaddr"
)

// portMap asks routers for ports, by UPnP and NAT-PMP, and remembers whom to ask
// what came of it.
type portMap struct{ asked atomic.Pointer[asked] }

// asked is what has been asked for the ports of a network.
type asked struct {
	net  network.Network
	upnp basichost.NATManager
	pmp  *pmp
}

func (p *portMap) manager(net network.Network) basichost.NATManager {
	a := &asked{net, basichost.NewNATManager(net), startPMP(net.ListenAddresses, defaultGateway)}
	p.asked.Store(a)
	return a
}

// GetMapping implements basichost.NATManager.
func (a *asked) GetMapping(listen multiaddr.Multiaddr) multiaddr.Multiaddr {
	if outside := a.pmp.mapping(listen); outside != nil {
		return outside
	}
	return a.upnp.GetMapping(listen)
}

// HasDiscoveredNAT implements basichost.NATManager.
func (a *asked) HasDiscoveredNAT() bool { return a.pmp.found() || a.upnp.HasDiscoveredNAT() }

// Close implements basichost.NATManager.
func (a *asked) Close() error { return errors.Join(a.pmp.Close(), a.upnp.Close()) }

// addrs are the addresses that the router gave, as far as it has one to give.
func (p *portMap) addrs() []multiaddr.Multiaddr {
	a := p.asked.Load()
	if a == nil {
		return nil
	}
	var mapped []multiaddr.Multiaddr
	for _, listen := range a.net.ListenAddresses() {
		if m := a.GetMapping(listen); m != nil {
			mapped = append(mapped, m)
		}
	}
	return mapped
}
