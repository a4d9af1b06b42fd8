package links

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/multiformats/go-multiaddr"
)

// anew makes circuits to peers that are connected already, which a host does
// not: it returns the connection there is, unless a direct one is demanded. So
// each circuit to be made gets a name, /ip4/127.0.0.1/memory/n, that this
// transport alone understands, and which it does not call a proxy's. The
// connection that comes of it is the circuit transport's own, and known to be
// relayed. The loopback address in front has the host try it first.
type anew struct {
	host host.Host
	net  dialler // nil: this host has another kind of network, and cannot

	mu    sync.Mutex
	last  uint64
	names map[uint64]multiaddr.Multiaddr // circuits that are being made
}

// dialler is what is needed of libp2p's swarm.
type dialler interface {
	transport.TransportNetwork
	TransportForDialing(multiaddr.Multiaddr) transport.Transport
}

func newAnew(h host.Host) *anew {
	a := &anew{host: h, names: make(map[uint64]multiaddr.Multiaddr)}
	if net, ok := h.Network().(dialler); ok && net.AddTransport(a) == nil {
		a.net = net
	}
	return a
}

var errNoCircuit = errors.New("no further circuit can be made")

// maxTogether is how many relays are tried at once.
const maxTogether = 3

// dial connects to p by one of the circuits, or directly if that is quicker,
// beside the circuits that there are.
func (a *anew) dial(ctx context.Context, p peer.ID, circuits []multiaddr.Multiaddr) (network.Conn, error) {
	if a.net == nil || len(circuits) == 0 {
		return nil, errNoCircuit
	}
	var names []multiaddr.Multiaddr
	for _, c := range circuits[:min(len(circuits), maxTogether)] {
		n, name := a.name(c)
		defer a.forget(n)
		names = append(names, name)
	}
	book := a.host.Peerstore()
	book.AddAddrs(p, names, peerstore.TempAddrTTL)
	defer book.SetAddrs(p, names, 0) // they mean nothing to anybody
	return a.net.DialPeer(network.WithForceDirectDial(ctx, "another circuit"), p)
}

func (a *anew) name(circuit multiaddr.Multiaddr) (uint64, multiaddr.Multiaddr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	a.names[a.last] = circuit
	return a.last, multiaddr.StringCast("/ip4/127.0.0.1/memory/" + strconv.FormatUint(a.last, 10))
}

func (a *anew) forget(n uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.names, n)
}

// circuit is what a name stands for, or nil.
func (a *anew) circuit(name multiaddr.Multiaddr) multiaddr.Multiaddr {
	text, err := name.ValueForProtocol(multiaddr.P_MEMORY)
	if err != nil {
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.names[n]
}

// Dial makes the circuit that name stands for.
func (a *anew) Dial(ctx context.Context, name multiaddr.Multiaddr, p peer.ID) (transport.CapableConn, error) {
	circuit := a.circuit(name)
	if circuit == nil {
		return nil, errNoCircuit
	}
	t := a.net.TransportForDialing(circuit)
	if t == nil {
		return nil, errNoCircuit
	}
	return t.Dial(ctx, circuit, p)
}

// CanDial says that name is one of ours.
func (a *anew) CanDial(name multiaddr.Multiaddr) bool { return a.circuit(name) != nil }

// Listen does nothing: nobody dials such a name but this host itself.
func (a *anew) Listen(multiaddr.Multiaddr) (transport.Listener, error) {
	return nil, errors.ErrUnsupported
}

// Protocols names the one that no transport of a node's uses.
func (a *anew) Protocols() []int { return []int{multiaddr.P_MEMORY} }

// Proxy says that what it makes may be made beside circuits.
func (a *anew) Proxy() bool { return false }

// circuitsTo are circuits by which the peer of c may be reached: that of c
// itself, if it was made from here, and those it told of.
func (l *Links) circuitsTo(c *conn) (addrs []multiaddr.Multiaddr) {
	if c.dialled() {
		addrs = append(addrs, c.RemoteMultiaddr())
	}
	for _, a := range l.host.Peerstore().Addrs(c.RemotePeer()) {
		if _, err := a.ValueForProtocol(multiaddr.P_CIRCUIT); err == nil && !multiaddr.Contains(addrs, a) {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

const renewTimeout = 10 * time.Second

// dialCircuit gets a successor for a circuit.
func (l *Links) dialCircuit(ctx context.Context, c *conn) error {
	ctx, cancel := context.WithTimeout(ctx, renewTimeout)
	defer cancel()
	fresh, err := l.anew.dial(ctx, c.RemotePeer(), l.circuitsTo(c))
	if err == nil {
		l.connected(fresh) // the host may take a moment to tell
	}
	return err
}
