package internet

import (
	"net"
	"sync"

	"github.com/marcopolo/simnet"
)

// Kind is how a router translates and whom it lets in, by RFC 4787.
type Kind int

// The kinds of routers.
const (
	Cone      Kind = iota // one port for all destinations; in comes who was spoken to at that port
	FullCone              // one port for all, open to everybody
	Symmetric             // another port for each destination
)

// Router stands between hosts with private addresses and the internet.
type Router struct {
	in   *Internet
	ip   net.IP
	kind Kind

	mu    sync.Mutex
	byKey map[string]*mapping
	hosts map[string]*simnet.SimConn // by private address
}

// mapping is a port that a router has opened.
type mapping struct {
	router      *Router
	public, own *net.UDPAddr
	spoken      map[string]bool // destinations
}

// NewRouter makes a router with the public address ip.
func (in *Internet) NewRouter(ip string, k Kind) *Router {
	return &Router{
		in: in, ip: net.ParseIP(ip).To16(), kind: k,
		byKey: make(map[string]*mapping), hosts: make(map[string]*simnet.SimConn),
	}
}

func (r *Router) attach(at *net.UDPAddr, c *simnet.SimConn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hosts[at.String()] = c
	c.SetUpPacketReceiver(r)
}

// Forget drops all mappings, as a router does that was restarted.
func (r *Router) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.byKey {
		r.in.router.RemoveNode(m.public)
	}
	clear(r.byKey)
}

// RecvPacket takes a packet of a host behind the router.
func (r *Router) RecvPacket(p *simnet.Packet) {
	r.mu.Lock()
	m := r.mapping(p.From.(*net.UDPAddr), p.To)
	m.spoken[p.To.String()] = true
	r.mu.Unlock()
	p.From = m.public
	r.in.router.RecvPacket(p)
}

// mapping returns the open port for a packet, and opens one if need be; r.mu is
// held.
func (r *Router) mapping(own *net.UDPAddr, to net.Addr) *mapping {
	key, port := own.String(), own.Port
	if r.kind == Symmetric {
		key += ">" + to.String()
	}
	if m := r.byKey[key]; m != nil {
		return m
	}
	if r.kind == Symmetric {
		port = int(r.in.ports.Add(1)) + firstTranslated
	}
	m := &mapping{router: r, own: own, public: &net.UDPAddr{IP: r.ip, Port: port}, spoken: make(map[string]bool)}
	r.byKey[key] = m
	r.in.router.AddNode(m.public, m)
	return m
}

// RecvPacket takes a packet from outside to an open port.
func (m *mapping) RecvPacket(p *simnet.Packet) {
	m.router.mu.Lock()
	open := m.router.kind == FullCone || m.spoken[p.From.String()]
	to := m.router.hosts[m.own.String()]
	m.router.mu.Unlock()
	if open && to != nil {
		p.To = m.own
		to.RecvPacket(p)
	}
}
