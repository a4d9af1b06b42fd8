package host

import (
	"errors"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/libp2p/go-libp2p/p2p/transport/tcpreuse"
	"github.com/multiformats/go-multiaddr"
)

// quietTCP is libp2p's TCP with listeners that close quietly.
type quietTCP struct{ *tcp.TcpTransport }

// newTCP is the constructor that libp2p fills in.
func newTCP(u transport.Upgrader, rm network.ResourceManager, shared *tcpreuse.ConnMgr) (*quietTCP, error) {
	t, err := tcp.NewTCPTransport(u, rm, shared)
	if err != nil {
		return nil, err
	}
	return &quietTCP{t}, nil
}

// Listen listens on a TCP address.
func (t *quietTCP) Listen(at multiaddr.Multiaddr) (transport.Listener, error) {
	l, err := t.TcpTransport.Listen(at)
	if err != nil {
		return nil, err
	}
	return quietListener{l}, nil
}

// quietListener says "closed" in the one way the swarm understands. A listener
// that is closed while it takes in a connection uses another error with the
// same text, which the swarm would log, to standard error unless told otherwise.
type quietListener struct{ transport.Listener }

// Accept waits for a connection.
func (l quietListener) Accept() (transport.CapableConn, error) {
	c, err := l.Listener.Accept()
	if err != nil && !errors.Is(err, transport.ErrListenerClosed) && err.Error() == transport.ErrListenerClosed.Error() {
		err = transport.ErrListenerClosed
	}
	return c, err
}
