package courier

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// mesh is couriers and the connections between them.
type mesh struct {
	delay time.Duration // one way

	mu       sync.Mutex
	couriers map[protocols.Key]*Courier
	joined   map[[2]protocols.Key]bool
	dialable map[protocols.Key]bool
	narrow   protocols.Key // whose connections have no room for an envelope to their other end
}

func newMesh(delay time.Duration) *mesh {
	return &mesh{
		delay: delay, couriers: map[protocols.Key]*Courier{},
		joined: map[[2]protocols.Key]bool{}, dialable: map[protocols.Key]bool{},
	}
}

// add starts a courier in the mesh.
func (m *mesh) add(t *testing.T, set func(cfg *Config, lines *port)) *Courier {
	t.Helper()
	p := &port{m: m}
	c := runningWith(t, func(cfg *Config) {
		cfg.Lines, p.me = p, cfg.Signer.Public()
		set(cfg, p)
	})
	m.mu.Lock()
	m.couriers[c.me] = c
	m.mu.Unlock()
	return c
}

// join connects two couriers.
func (m *mesh) join(a, b *Courier) {
	m.mu.Lock()
	m.joined[[2]protocols.Key{a.me, b.me}], m.joined[[2]protocols.Key{b.me, a.me}] = true, true
	m.mu.Unlock()
	a.PeerUp(b.me, delivery.Path{})
	b.PeerUp(a.me, delivery.Path{})
}

func (m *mesh) at(a, b protocols.Key) (*Courier, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.couriers[b], m.joined[[2]protocols.Key{a, b}]
}

// port is the connections of one courier of the mesh.
type port struct {
	m  *mesh
	me protocols.Key
}

var errFar = errors.New("not connected")

func (p *port) Connected(k protocols.Key) bool {
	_, ok := p.m.at(p.me, k)
	return ok
}

func (p *port) SendEnvelope(k protocols.Key, frame []byte, written func(error)) error {
	c, ok := p.m.at(p.me, k)
	if !ok {
		return errFar
	}
	if e, err := envelope.Parse(frame); err != nil || p.m.narrow == p.me && e.To == k {
		return errors.Join(delivery.ErrLimit, err)
	}
	time.AfterFunc(0, func() { written(nil) })
	time.AfterFunc(p.m.delay, func() { c.Envelopes(inbound{p.m, p.me, k}, [][]byte{frame}) })
	return nil
}

func (p *port) SendAck(k protocols.Key, frame []byte) error {
	c, ok := p.m.at(p.me, k)
	if !ok {
		return errFar
	}
	time.AfterFunc(p.m.delay, func() { c.Acks(inbound{p.m, p.me, k}, [][]byte{frame}) })
	return nil
}

func (p *port) Watch(protocols.Key, bool) {}

func (p *port) Probe(context.Context, protocols.Key) bool { return true }

func (p *port) Connect(ctx context.Context, k protocols.Key) error {
	p.m.mu.Lock()
	ok := p.m.dialable[k]
	here, there := p.m.couriers[p.me], p.m.couriers[k]
	p.m.mu.Unlock()
	if ok {
		p.m.join(here, there)
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// inbound is the stream from one courier to another.
type inbound struct {
	m        *mesh
	from, to protocols.Key
}

func (in inbound) Peer() protocols.Key { return in.from }
func (in inbound) Path() delivery.Path { return delivery.Path{} }

func (in inbound) Answer(frame []byte) error {
	c, _ := in.m.at(in.to, in.from)
	time.AfterFunc(in.m.delay, func() { c.Answers(in.to, [][]byte{frame}) })
	return nil
}

func (in inbound) Misbehaved(err error) {
	c, _ := in.m.at(in.to, in.from)
	c.Count.rejected(err)
}

// ferry carries envelopes along their via, and to its neighbours.
type ferry struct {
	lines  *port
	sinks  atomic.Bool                       // it says taken, and drops them
	keeps  func(e *envelope.Envelope) []byte // it says that it keeps them, and shows this; nil: no
	mu     sync.Mutex
	back   map[[16]byte]Inbound
	loaded int
}

func (f *ferry) Carry(in Inbound, e *envelope.Envelope) {
	next := e.To
	if len(e.Via) > 1 {
		next = e.Via[1]
		e.Via = e.Via[1:]
	} else {
		e.Via = nil
	}
	e.Hops++
	f.mu.Lock()
	f.back[e.Digest().Short()] = in
	f.loaded++
	f.mu.Unlock()
	a := envelope.Answer{Digest: e.Digest().Short(), Code: envelope.Taken}
	if f.keeps != nil {
		a.Code, a.Storage = envelope.Stored, f.keeps(e)
	}
	if f.sinks.Load() || f.keeps != nil {
		_ = in.Answer(a.Append(nil))
		return
	}
	if f.lines.SendEnvelope(next, e.Append(nil), func(error) {}) != nil {
		a.Code, a.Reason = envelope.Refused, envelope.ReasonNoRoute
		_ = in.Answer(a.Append(nil))
	}
}

func (f *ferry) Answered(_ protocols.Key, a envelope.Answer) bool {
	f.mu.Lock()
	in := f.back[a.Digest]
	delete(f.back, a.Digest)
	f.mu.Unlock()
	if in == nil {
		return false
	}
	_ = in.Answer(a.Append(nil))
	return true
}

// map of the ways, as a router knows them.
type atlas struct {
	mu       sync.Mutex
	routes   map[protocols.Key][]delivery.Route
	outcomes []delivery.Outcome
}

func (a *atlas) Routes(to protocols.Key, _ int) []delivery.Route {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.routes[to]
}

func (a *atlas) Outcome(_ protocols.Key, o delivery.Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.outcomes = append(a.outcomes, o)
}

func (a *atlas) Came(author, via protocols.Key) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.routes == nil {
		a.routes = map[protocols.Key][]delivery.Route{}
	}
	a.routes[author] = []delivery.Route{{via}}
}
