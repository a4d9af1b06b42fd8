package links_test

import (
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/protocols/stream"
	"github.com/tom-protocol/tom/protocols/stream/streamtest"
)

// A real stream is held to the suite that the pipe is held to.
func TestRealStreamsKeepTheSuite(t *testing.T) {
	t.Parallel()
	streamtest.Suite(t, func(t *testing.T) (a, b streamtest.Raw) { return streams(t) })
}

// streams returns the two ends of a stream between two hosts.
func streams(t testing.TB) (a, b network.Stream) {
	t.Helper()
	from, to := newHost(t), newHost(t)
	arrived := make(chan network.Stream, 1)
	to.SetStreamHandler("/test", func(s network.Stream) { arrived <- s })
	if err := from.Connect(t.Context(), peer.AddrInfo{ID: to.ID(), Addrs: to.Addrs()}); err != nil {
		t.Fatal(err)
	}
	a, err := from.NewStream(t.Context(), to.ID(), "/test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Write([]byte{1, '!'}); err != nil { // it shows with its first bytes
		t.Fatal(err)
	}
	b = <-arrived
	if _, err := b.Read(make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// One conversation over QUIC on loopback: 300-byte frames one way, 20-byte
// answers the other, 256 under way.
func BenchmarkLine(b *testing.B) {
	rawA, rawB := streams(b)
	here, there := stream.NewLine(rawA, stream.Limits{}), stream.NewLine(rawB, stream.Limits{})
	defer func() {
		here.Reset()
		there.Reset()
		<-here.Done()
		<-there.Done()
	}()
	go func() {
		var frames [][]byte
		for {
			var err error
			if frames, err = there.Receive(frames[:0]); err != nil {
				return
			}
			for range frames {
				_ = there.Send(make([]byte, 20), nil)
			}
		}
	}()
	const window = 256
	b.ReportAllocs()
	var frames [][]byte
	sent, answered := 0, 0
	for answered < b.N {
		for sent < b.N && sent-answered < window {
			if err := here.Send(make([]byte, 300), nil); err != nil {
				b.Fatal(err)
			}
			sent++
		}
		var err error
		if frames, err = here.Receive(frames[:0]); err != nil {
			b.Fatal(err)
		}
		answered += len(frames)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}
