// Package simnat is an internet with NAT routers in one process, for tests in
// virtual time: real libp2p hosts over simulated UDP, each behind a router of its
// own or on the open net. It speaks QUIC only; TCP, UPnP and the timers of real
// routers are for the lab in network namespaces.
package simnat

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/marcopolo/simnet"
)

// Internet carries packets between public addresses, each in the same time.
type Internet struct {
	router  simnet.VariableLatencyRouter
	ports   atomic.Int32
	stop    chan struct{}
	running sync.WaitGroup
}

// New starts an internet in which a packet takes hop one way. The caller closes
// it.
func New(hop time.Duration) *Internet {
	in := &Internet{stop: make(chan struct{})}
	in.router.LatencyFunc = func(*simnet.Packet) time.Duration { return hop }
	in.router.OnDrop = func(*simnet.Packet, simnet.DropReason) {}
	in.router.CloseSignal = in.stop
	in.router.Start(&in.running)
	return in
}

// Close ends it.
func (in *Internet) Close() {
	close(in.stop)
	in.running.Wait()
}

// port is one that nobody has.
func (in *Internet) port() int { return int(in.ports.Add(1)) + 40_000 }

// Plug is where a machine is connected.
type Plug struct {
	in *Internet
	ip net.IP

	mu      sync.Mutex // guards what follows
	behind  *Router    // nil: on the open internet
	sockets []*socket
}

// socket is one of a machine's, and where its packets go.
type socket struct {
	*simnet.SimConn
	out atomic.Pointer[simnet.PacketReceiver]
}

// outlet takes the packets of a socket: the socket itself is set up once.
type outlet struct{ s *socket }

// RecvPacket passes a packet on to where the machine is plugged in.
func (o outlet) RecvPacket(p *simnet.Packet) { (*o.s.out.Load()).RecvPacket(p) }

func (s *socket) lead(to simnet.PacketReceiver) { s.out.Store(&to) }

// Plug gives a machine an address, behind a router or, if that is nil, on the
// open internet.
func (in *Internet) Plug(ip string, behind *Router) *Plug {
	return &Plug{in: in, ip: net.ParseIP(ip).To16(), behind: behind}
}

// QUIC are the options that put a host's QUIC here.
func (p *Plug) QUIC() []quicreuse.Option {
	return []quicreuse.Option{
		quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return p, nil }),
		quicreuse.OverrideListenUDP(func(_ string, at *net.UDPAddr) (net.PacketConn, error) { return p.socket(at.Port), nil }),
	}
}

// PreferredSourceIPForDestination is the machine's address.
func (p *Plug) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) { return p.ip, nil }

func (p *Plug) socket(port int) net.PacketConn {
	if port == 0 {
		port = p.in.port()
	}
	c := &socket{SimConn: simnet.NewBlockingSimConn(&net.UDPAddr{IP: p.ip, Port: port})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sockets = append(p.sockets, c)
	p.attach(c)
	c.SetUpPacketReceiver(outlet{c})
	return c.SimConn
}

func (p *Plug) attach(c *socket) {
	if p.behind != nil {
		p.behind.attach(c)
		return
	}
	c.lead(&p.in.router)
	p.in.router.AddNode(c.LocalAddr(), c.SimConn)
}

// Move takes the machine to another router. Its own address stays what it was:
// only the internet sees another.
func (p *Plug) Move(to *Router) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.behind == nil {
		for _, c := range p.sockets {
			p.in.router.RemoveNode(c.LocalAddr())
		}
	}
	p.behind = to
	for _, c := range p.sockets {
		p.attach(c)
	}
}
