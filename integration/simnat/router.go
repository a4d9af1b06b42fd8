package simnat

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/marcopolo/simnet"
)

// Router is a NAT box. By itself it keeps one port for one socket and lets in
// whom that socket has spoken to; it has no hairpin.
type Router struct {
	Symmetric bool        // another port for each destination
	Full      bool        // everybody gets in where something went out
	ByAddress bool        // whoever was spoken to gets in, from any port of its
	Deaf      atomic.Bool // lets in only addresses that begin with Hears
	Hears     string

	in    *Internet
	ip    net.IP
	mu    sync.Mutex // guards what follows
	byIn  map[string]*mapping
	taken map[int]bool
	inner map[string]*simnet.SimConn
}

// mapping is a port that a router has opened.
type mapping struct {
	router      *Router
	public, own *net.UDPAddr
	spoken      map[string]bool // addresses with ports, and without
}

// Router sets up a router with a public address.
func (in *Internet) Router(ip string) *Router {
	return &Router{
		in: in, ip: net.ParseIP(ip).To16(),
		byIn: make(map[string]*mapping), taken: make(map[int]bool), inner: make(map[string]*simnet.SimConn),
	}
}

func (r *Router) attach(c *socket) {
	r.mu.Lock()
	r.inner[c.LocalAddr().String()] = c.SimConn
	r.mu.Unlock()
	c.lead(r)
}

// Forget has the router forget all its mappings, as one that is switched off and
// on.
func (r *Router) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.byIn {
		r.in.router.RemoveNode(m.public)
	}
	clear(r.byIn)
}

// RecvPacket takes a packet of a machine behind the router.
func (r *Router) RecvPacket(p *simnet.Packet) {
	r.mu.Lock()
	if neighbour := r.inner[p.To.String()]; neighbour != nil {
		r.mu.Unlock()
		neighbour.RecvPacket(p)
		return
	}
	key := p.From.String()
	if r.Symmetric {
		key += ">" + p.To.String()
	}
	m := r.byIn[key]
	if m == nil {
		m = r.open(p.From.(*net.UDPAddr))
		r.byIn[key] = m
	}
	m.spoken[p.To.String()] = true
	m.spoken[ipOf(p.To)] = true
	r.mu.Unlock()
	p.From = m.public
	r.in.router.RecvPacket(p)
}

// open opens a port for a socket: its own number if that is free. mu is held.
func (r *Router) open(own *net.UDPAddr) *mapping {
	port := own.Port
	if r.Symmetric || r.taken[port] {
		port = r.in.port()
	}
	r.taken[port] = true
	m := &mapping{router: r, own: own, public: &net.UDPAddr{IP: r.ip, Port: port}, spoken: make(map[string]bool)}
	r.in.router.AddNode(m.public, m)
	return m
}

// RecvPacket takes a packet from outside to an open port.
func (m *mapping) RecvPacket(p *simnet.Packet) {
	r := m.router
	r.mu.Lock()
	ok := r.Full || m.spoken[p.From.String()] || r.ByAddress && m.spoken[ipOf(p.From)]
	if r.Deaf.Load() && !strings.HasPrefix(p.From.String(), r.Hears) {
		ok = false
	}
	to := r.inner[m.own.String()]
	r.mu.Unlock()
	if ok && to != nil {
		p.To = m.own
		to.RecvPacket(p)
	}
}

func ipOf(a net.Addr) string { return a.(*net.UDPAddr).IP.String() }
