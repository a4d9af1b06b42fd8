package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"

	"github.com/tom-protocol/tom/protocols"
)

// MDNS is a source of peers on the LAN.
type MDNS struct {
	host    host.Host
	network protocols.Network
}

// NewMDNS makes a source that also tells the LAN of h.
func NewMDNS(h host.Host, n protocols.Network) *MDNS { return &MDNS{host: h, network: n} }

// Name implements Source.
func (*MDNS) Name() string { return "mdns" }

// ServiceName is what nodes of a network are called on the LAN.
func ServiceName(n protocols.Network) string {
	if n == protocols.Main {
		return "_tom._udp"
	}
	return "_" + string(n) + "-tom._udp"
}

var errNoMulticast = errors.New("no network interface with multicast")

// Run implements Source.
func (m *MDNS) Run(ctx context.Context, found func(peer.AddrInfo)) error {
	if !multicast() {
		return errNoMulticast // the library would say so on standard error
	}
	s := mdns.NewMdnsService(m.host, ServiceName(m.network), notifee(found))
	if err := s.Start(); err != nil {
		return errors.Join(fmt.Errorf("start mdns: %w", err), s.Close())
	}
	<-ctx.Done()
	return s.Close()
}

// multicast says that an interface other than loopback is up and can multicast.
func multicast() bool {
	all, err := net.Interfaces()
	if err != nil {
		return false
	}
	const want = net.FlagUp | net.FlagMulticast
	for _, i := range all {
		if i.Flags&want == want && i.Flags&net.FlagLoopback == 0 {
			return true
		}
	}
	return false
}

type notifee func(peer.AddrInfo)

func (n notifee) HandlePeerFound(info peer.AddrInfo) { n(info) }
