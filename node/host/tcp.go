package host

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/libp2p/go-libp2p/p2p/transport/tcpreuse"
	"github.com/multiformats/go-multiaddr"
)

// quietTCP is libp2p's TCP with listeners that close quietly, and with dials that
// those given up do not hold up.
type quietTCP struct {
	*tcp.TcpTransport
	anyPort *tcp.TcpTransport // dials from a port of its own each time
	givenUp givenUp
}

// newTCP is the constructor that libp2p fills in.
func newTCP(u transport.Upgrader, rm network.ResourceManager, shared *tcpreuse.ConnMgr) (*quietTCP, error) {
	t, err := tcp.NewTCPTransport(u, rm, shared)
	if err != nil {
		return nil, err
	}
	anyPort, err := tcp.NewTCPTransport(u, rm, nil, tcp.DisableReuseport())
	if err != nil {
		return nil, err
	}
	return &quietTCP{TcpTransport: t, anyPort: anyPort}, nil
}

// Dial dials an address from the port that is listened on, or from another if a
// dial to it was given up just now.
func (t *quietTCP) Dial(ctx context.Context, to multiaddr.Multiaddr, p peer.ID) (transport.CapableConn, error) {
	return t.DialWithUpdates(ctx, to, p, nil)
}

// DialWithUpdates is Dial for who wants to know how far it has come.
func (t *quietTCP) DialWithUpdates(ctx context.Context, to multiaddr.Multiaddr, p peer.ID, updates chan<- transport.DialUpdate) (transport.CapableConn, error) {
	if punch, _, _ := network.GetSimultaneousConnect(ctx); !punch && t.givenUp.lately(to, time.Now()) {
		return t.anyPort.DialWithUpdates(ctx, to, p, updates)
	}
	c, err := t.TcpTransport.DialWithUpdates(ctx, to, p, updates)
	if err != nil && ctx.Err() != nil {
		t.givenUp.note(to, time.Now())
	}
	return c, err
}

// givenUp remembers the addresses of dials from the port that is listened on that
// were given up. The answer to such
// a dial may be on its way, and is refused when it comes. A router that has seen
// another dial from the same port by then takes both for one connection, which
// that has ended: it lets no answer in, and the dial takes three seconds or more.
type givenUp struct {
	mu sync.Mutex
	at map[string]time.Time
}

// unanswered is how long the answer to a dial may be on its way. No longer does one
// go without the port that is listened on: others are to see where that leads from.
const unanswered = time.Second

func (g *givenUp) note(to multiaddr.Multiaddr, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.at == nil {
		g.at = make(map[string]time.Time)
	}
	for addr, at := range g.at {
		if now.Sub(at) >= unanswered {
			delete(g.at, addr)
		}
	}
	g.at[string(to.Bytes())] = now
}

func (g *givenUp) lately(to multiaddr.Multiaddr, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, noted := g.at[string(to.Bytes())]
	return noted && now.Sub(at) < unanswered
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
