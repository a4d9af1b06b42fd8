package host

import (
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// dialHook stands where libp2p asks what may be dialled. It allows everything,
// and tells of each address, also of those where nobody answers and of holes.
type dialHook func(multiaddr.Multiaddr)

// InterceptAddrDial tells that an address is about to be dialled.
func (f dialHook) InterceptAddrDial(_ peer.ID, a multiaddr.Multiaddr) bool {
	f(a)
	return true
}

// InterceptPeerDial allows it.
func (dialHook) InterceptPeerDial(peer.ID) bool { return true }

// InterceptAccept allows it.
func (dialHook) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptSecured allows it.
func (dialHook) InterceptSecured(network.Direction, peer.ID, network.ConnMultiaddrs) bool {
	return true
}

// InterceptUpgraded allows it.
func (dialHook) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }
