package links_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multistream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/node/links"
	"github.com/tom-protocol/tom/protocols"
)

// hostile returns a bare host without limits, connected to the victim.
func hostile(t *testing.T, key crypto.PrivKey, victim *party) (libp2phost.Host, network.Conn) {
	t.Helper()
	h, err := libp2p.New(libp2p.Identity(key), libp2p.NoListenAddrs,
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.PrometheusRegisterer(prometheus.NewRegistry()), libp2p.DisableMetrics())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	if err := h.Connect(t.Context(), peer.AddrInfo{ID: victim.host.ID(), Addrs: victim.host.Addrs()}); err != nil {
		t.Fatal(err)
	}
	return h, h.Network().ConnsToPeer(victim.host.ID())[0]
}

// counted returns the value of a counter with a label of that value.
func counted(t *testing.T, reg *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && l.GetValue() == label {
					sum += m.GetCounter().GetValue()
				}
			}
		}
	}
	return sum
}

const (
	served = "tom_links_streams_served_total"
	ours   = protocols.EnvelopeProtocol
)

func TestThousandsOfHalfOpenStreams(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	b, _ := join(t, newHost(t), "bob", func(c *links.Config) { c.Registerer = reg })
	a, _ := join(t, newHost(t), "alice", nil)
	a.connect(b)
	mallory, conn := hostile(t, newKey(t), b)

	ctx, stop := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	var opened atomic.Int32
	defer flood.Wait()
	defer stop()
	for kind := range 4 {
		flood.Go(func() {
			var kept [50]network.Stream // QUIC grants 256 at once
			for i := 0; i < 2500 && ctx.Err() == nil; i++ {
				at := &kept[i%len(kept)]
				if *at != nil {
					_ = (*at).Reset()
				}
				if *at = openHalf(ctx, conn, kind); *at != nil {
					opened.Add(1)
				}
			}
		})
	}
	for i := range 50 {
		begun := time.Now()
		if err := a.SendEnvelope(b.key(), fmt.Appendf(nil, "%d", i), nil); err != nil {
			t.Fatal(err)
		}
		a.await(fmt.Sprintf("answer re %d", i), 1)
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("message %d took %v beside the flood", i, took)
		}
	}
	flood.Wait()
	if n := opened.Load(); n < 2000 {
		t.Errorf("%d streams opened: no flood", n)
	}

	var open int
	_ = b.host.Network().ResourceManager().ViewPeer(mallory.ID(), func(s network.PeerScope) error {
		open = s.Stat().NumStreamsInbound
		return nil
	})
	if open > 64 {
		t.Errorf("%d streams of one peer are open", open)
	}
	if refused := counted(t, reg, served, "crowded") + counted(t, reg, served, "hasty"); refused == 0 {
		t.Error("no stream was refused")
	}

	// A newcomer finds a way in.
	c, _ := join(t, newHost(t), "carol", nil)
	c.connect(b)
	if err := c.SendEnvelope(b.key(), []byte("me too"), nil); err != nil {
		t.Fatal(err)
	}
	c.await("answer re me too", 1)
}

// openHalf opens a stream and leaves it, in one of four states. It returns nil
// if all that the victim grants are open.
func openHalf(ctx context.Context, conn network.Conn, kind int) network.Stream {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	s, err := conn.NewStream(ctx)
	if err != nil {
		return nil
	}
	var said []byte
	switch kind {
	case 0: // not a byte
	case 1: // half a negotiation
		said = []byte{0x13, '/', 'm'}
	case 2: // negotiated, then nothing
		said = negotiation()
	case 3: // half a frame
		said = append(negotiation(), 200, 1, 'x')
	}
	_ = s.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = s.Write(said)
	return s
}

// negotiation is what opens a stream for envelopes.
func negotiation() []byte {
	var said []byte
	for _, p := range []string{multistream.ProtocolID, ours} {
		said = append(said, byte(len(p)+1))
		said = append(said, p...)
		said = append(said, '\n')
	}
	return said
}

// raw opens a stream for envelopes by hand.
func raw(t *testing.T, h libp2phost.Host, to peer.ID) network.Stream {
	t.Helper()
	s, err := h.NewStream(t.Context(), to, ours)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Reset() })
	return s
}

// gone waits until the other side has ended the stream.
func gone(t *testing.T, s network.Stream) {
	t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := s.Read(make([]byte, 1))
	var reset *network.StreamError
	if !errors.Is(err, network.ErrReset) && !errors.As(err, &reset) {
		t.Errorf("read %v, want the stream reset", err)
	}
}

func TestOtherKeysAreRefused(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	b, _ := join(t, newHost(t), "bob", func(c *links.Config) { c.Registerer = reg })
	key, _, err := crypto.GenerateSecp256k1Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h, _ := hostile(t, key, b)
	s := raw(t, h, b.host.ID())
	_, _ = s.Write([]byte{1, 'x'})
	gone(t, s)
	if n := counted(t, reg, served, "foreign"); n != 1 {
		t.Errorf("%v streams counted as foreign, want 1", n)
	}
	if b.count("up") != 0 {
		t.Error("it came up")
	}
}

func TestFifthStreamIsRefused(t *testing.T) {
	t.Parallel()
	b, _ := join(t, newHost(t), "bob", nil)
	h, _ := hostile(t, newKey(t), b)
	for i := range 4 {
		s := raw(t, h, b.host.ID())
		_, _ = s.Write([]byte{1, byte('0' + i)})
		b.await(fmt.Sprintf("envelope %d", i), 1)
	}
	s := raw(t, h, b.host.ID())
	_, _ = s.Write([]byte{1, 'x'})
	gone(t, s)
}

func TestStreamsInARowAreRefused(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	b, _ := join(t, newHost(t), "bob", func(c *links.Config) {
		c.Registerer = reg
		c.Limits.Burst = 3
		c.Limits.Rate = 0.001
	})
	h, _ := hostile(t, newKey(t), b)
	for i := range 3 {
		s := raw(t, h, b.host.ID())
		_, _ = s.Write([]byte{1, byte('0' + i)})
		b.await(fmt.Sprintf("envelope %d", i), 1)
		_ = s.Reset()
	}
	gone(t, func() network.Stream {
		s := raw(t, h, b.host.ID())
		_, _ = s.Write([]byte{1, 'x'})
		return s
	}())
	if n := counted(t, reg, served, "hasty"); n != 1 {
		t.Errorf("%v streams counted as hasty, want 1", n)
	}
}

func TestMisbehaviourEndsTheStreamOnly(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	b, _ := join(t, newHost(t), "bob", func(c *links.Config) {
		c.Registerer = reg
		honest := c.Handlers.Envelopes
		c.Handlers.Envelopes = func(in *links.Inbound, frames [][]byte) {
			if string(frames[0]) == "bad" {
				in.Misbehaved(errors.New("it said bad"))
				return
			}
			honest(in, frames)
		}
	})
	h, conn := hostile(t, newKey(t), b)
	s := raw(t, h, b.host.ID())
	_, _ = s.Write([]byte{3, 'b', 'a', 'd'})
	gone(t, s)
	if conn.IsClosed() {
		t.Error("it lost its connection")
	}
	if n := counted(t, reg, "tom_links_misbehaviour_total", "envelope"); n != 1 {
		t.Errorf("counted %v times, want once", n)
	}
	s = raw(t, h, b.host.ID())
	_, _ = s.Write([]byte{2, 'o', 'k'})
	b.await("envelope ok", 1)
}

func TestBadHellosEndTheirStream(t *testing.T) {
	t.Parallel()
	b, _ := join(t, newHost(t), "bob", nil)
	h, _ := hostile(t, newKey(t), b)
	for _, said := range [][]byte{{1, 0}, {0}, {0xff, 0xff, 0x7f}, append([]byte{4}, "\x94\x01\x02\x03"...)} {
		s, err := h.NewStream(t.Context(), b.host.ID(), protocols.HeartbeatProtocol)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = s.Write(said)
		gone(t, s)
	}
}

func TestPeerThatReadsNoAnswersLosesItsStream(t *testing.T) {
	t.Parallel()
	b, _ := join(t, newHost(t), "bob", func(c *links.Config) {
		c.Handlers.Envelopes = func(in *links.Inbound, frames [][]byte) {
			for range frames {
				if in.Answer(make([]byte, 200_000)) != nil {
					return
				}
			}
		}
	})
	h, _ := hostile(t, newKey(t), b)
	s := raw(t, h, b.host.ID())
	_ = s.SetWriteDeadline(time.Now().Add(15 * time.Second))
	var err error
	for err == nil {
		_, err = s.Write([]byte{1, 'x'})
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Error("it may write for ever without reading")
	}
}
