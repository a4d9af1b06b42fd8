package hostile

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/protocols"
)

func TestFramesThatAreNoneEndTheStream(t *testing.T) {
	s := newScene(t, node.Config{})
	before := s.bob.view()
	length := func(n uint64) []byte { return binary.AppendUvarint(nil, n) }
	for name, raw := range map[string][]byte{
		"longer than allowed":      length(272<<10 + 1),
		"as long as can be":        length(1<<64 - 1),
		"a length without end":     bytes.Repeat([]byte{0xff}, 32),
		"a length in a long form":  {0x85, 0x80, 0x00, 1, 2, 3, 4, 5},
		"an empty frame":           {0},
		"garbage of the full size": append(length(272<<10), bytes.Repeat([]byte{0xab}, 272<<10)...),
	} {
		for _, proto := range []string{protocols.EnvelopeProtocol, protocols.AckProtocol, protocols.HeartbeatProtocol} {
			t.Log(name, proto)
			v := newVillain(t)
			p := v.open(s.bob.Link(), proto)
			p.raw(raw)
			p.wantReset()
			_ = v.host.Close()
		}
	}
	// One that is cut off has only itself to blame.
	v := newVillain(t)
	p := v.envelopes(s.bob.Link())
	p.raw(append(length(5000), make([]byte, 100)...))
	_ = p.CloseWrite()
	p.wantReset()
	s.bob.unchanged(before)
	s.honest()
}

func TestHellosInFloodsEndTheStream(t *testing.T) {
	s := newScene(t, node.Config{})
	before := s.bob.view()
	v := newVillain(t)
	hello := v.hello()
	p := v.open(s.bob.Link(), protocols.HeartbeatProtocol)
	frame := hello.Append(nil)
	p.send(frame)
	p.read() // the first is answered
	for range 100 {
		p.send(frame, frame, frame, frame)
	}
	p.wantReset()

	hello.Name = "alice\x1b[2J\u202e, your friend"
	other := newVillain(t)
	other.greet(s.bob.Link(), hello)
	if name := s.bob.NameOf(other.Public()); name != "alice[2J, your friend?" {
		t.Errorf("the name is shown as %q", name)
	}
	for name, frame := range map[string][]byte{
		"cut off":        frame[:40],
		"garbage":        bytes.Repeat([]byte{0x93}, 4096),
		"over its limit": append(frame, make([]byte, 5000)...),
	} {
		t.Log(name)
		v := newVillain(t)
		p := v.open(s.bob.Link(), protocols.HeartbeatProtocol)
		p.send(frame)
		p.wantReset()
	}
	s.bob.unchanged(before)
	s.honest()
}

// streamer opens streams as fast as it can until the count is used up, and
// does with each what open does.
func (v *villain) streamer(link string, left *atomic.Int64, open func(network.Stream)) {
	id := v.dial(link)
	for left.Add(-1) >= 0 {
		ctx, cancel := context.WithTimeout(v.t.Context(), time.Second)
		c := v.host.Network().ConnsToPeer(id)
		if len(c) == 0 {
			cancel()
			id = v.dial(link)
			continue
		}
		s, err := c[0].NewStream(ctx)
		cancel()
		if err == nil {
			open(s)
		}
	}
}

func TestTenThousandHalfOpenStreamsStarveOnlyThemselves(t *testing.T) {
	v := newVictim(t)
	before := v.order(order{})
	var left, opened atomic.Int64
	left.Store(10_000)
	var all sync.WaitGroup
	for i := range 8 {
		villain := newVillain(t)
		all.Go(func() {
			villain.streamer(v.link, &left, func(s network.Stream) {
				opened.Add(1)
				switch i % 3 { // never closed
				case 0:
					_, _ = s.Write([]byte("\x13/multistream"))
				case 1:
					_, _ = s.Write([]byte("\x13/multistream/1.0.0\n\x14/tom/envelope/1.0.0\n\x85"))
				case 2:
					_, _ = s.Write([]byte("\x13/multistream/1.0.0\n\x15/tom/heartbeat/1.0.0\n"))
				}
			})
		})
	}
	finished := make(chan struct{})
	go func() { all.Wait(); close(finished) }()
	slowest := time.Duration(0)
	for honest := true; honest; {
		slowest = max(slowest, v.honest())
		select {
		case <-finished:
			honest = false
		default:
		}
	}
	t.Logf("%d streams opened; the slowest honest exchange took %v", opened.Load(), slowest)
	if opened.Load() < 9000 {
		t.Errorf("only %d streams were opened", opened.Load())
	}
	v.bounded(before)
	v.honest()
}

func TestConnectionsThatSayNothing(t *testing.T) {
	v := newVictim(t)
	before := v.order(order{})
	for range 150 {
		newVillain(t).dial(v.link)
	}
	v.honest()
	v.bounded(before)
}
