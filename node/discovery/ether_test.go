package discovery

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/protocols"
)

// ether is a segment in memory.
type ether struct {
	mu    sync.Mutex
	plugs map[*plug]bool
}

// plug is one end of an ether.
type plug struct {
	of    *ether
	heard chan packet
	fresh bool
}

func (e *ether) open() (segment, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := &plug{of: e, heard: make(chan packet, heardAtOnce), fresh: true}
	if e.plugs == nil {
		e.plugs = make(map[*plug]bool)
	}
	e.plugs[p] = true
	return p, nil
}

func (p *plug) join() (fresh bool) {
	fresh, p.fresh = p.fresh, false
	return fresh
}

func (p *plug) packets() <-chan packet { return p.heard }

func (p *plug) sendAll(b []byte) { p.send(b, 1) }

func (p *plug) send(b []byte, _ int) {
	if len(b) == 0 {
		return
	}
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	for other := range p.of.plugs { // whoever speaks hears itself
		select {
		case other.heard <- packet{append([]byte(nil), b...), 1}:
		default:
		}
	}
}

func (p *plug) close() {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	delete(p.of.plugs, p)
}

// hearEachOther fails the test unless alice and bob hear of each other, and eve,
// who is of another network, of nobody. Every segment must pass.
func hearEachOther(t *testing.T, alice, bob, eve host.Host, open func() (segment, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	heard := make(chan [2]peer.ID, 100)
	ended := make(chan error, 3)
	for h, network := range map[host.Host]protocols.Network{alice: protocols.Main, bob: protocols.Main, eve: "test"} {
		m := NewMDNS(h, network)
		m.open = open
		go func() {
			ended <- m.Run(ctx, func(info peer.AddrInfo) {
				select {
				case heard <- [2]peer.ID{h.ID(), info.ID}:
				default:
				}
			})
		}()
	}
	missing := map[[2]peer.ID]bool{{alice.ID(), bob.ID()}: true, {bob.ID(), alice.ID()}: true}
	for len(missing) > 0 {
		select {
		case m := <-heard:
			delete(missing, m)
			if m[0] == eve.ID() || m[1] == eve.ID() {
				t.Fatal("two networks meet")
			}
		case <-ctx.Done():
			t.Fatalf("%d of 2 have not heard of the other", len(missing))
		}
	}
	cancel()
	for range 3 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestEtherIsASegment(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		hearEachOther(t, s.host(1), s.host(2), s.host(3), new(ether).open)
	})
}
