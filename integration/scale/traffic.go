package scale

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/metrics"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"
)

// traffic counts the bytes of gossipsub that a host sends and receives, and the
// addresses it dials. libp2p's own counter has a goroutine for the whole process,
// which no bubble can hold.
type traffic struct{ bytes, dials atomic.Int64 }

// dialled counts what is dialled, and passes it on.
func (g *traffic) dialled(then func(multiaddr.Multiaddr)) func(multiaddr.Multiaddr) {
	return func(a multiaddr.Multiaddr) {
		g.dials.Add(1)
		if then != nil {
			then(a)
		}
	}
}

// add counts a message if it is gossip.
func (g *traffic) add(size int64, id protocol.ID) {
	if strings.Contains(string(id), "/meshsub/") {
		g.bytes.Add(size)
	}
}

// LogSentMessageStream implements metrics.Reporter.
func (g *traffic) LogSentMessageStream(size int64, id protocol.ID, _ peer.ID) { g.add(size, id) }

// LogRecvMessageStream implements metrics.Reporter.
func (g *traffic) LogRecvMessageStream(size int64, id protocol.ID, _ peer.ID) { g.add(size, id) }

// LogSentMessage implements metrics.Reporter; streams tell more.
func (g *traffic) LogSentMessage(int64) {}

// LogRecvMessage implements metrics.Reporter; streams tell more.
func (g *traffic) LogRecvMessage(int64) {}

// GetBandwidthForPeer implements metrics.Reporter; nobody asks.
func (g *traffic) GetBandwidthForPeer(peer.ID) (s metrics.Stats) { return s }

// GetBandwidthForProtocol implements metrics.Reporter; nobody asks.
func (g *traffic) GetBandwidthForProtocol(protocol.ID) (s metrics.Stats) { return s }

// GetBandwidthTotals implements metrics.Reporter; nobody asks.
func (g *traffic) GetBandwidthTotals() (s metrics.Stats) { return s }

// GetBandwidthByPeer implements metrics.Reporter; nobody asks.
func (g *traffic) GetBandwidthByPeer() map[peer.ID]metrics.Stats { return nil }

// GetBandwidthByProtocol implements metrics.Reporter; nobody asks.
func (g *traffic) GetBandwidthByProtocol() map[protocol.ID]metrics.Stats { return nil }

// Reset implements metrics.Reporter.
func (g *traffic) Reset() { g.bytes.Store(0) }

// TrimIdle implements metrics.Reporter.
func (g *traffic) TrimIdle(time.Time) {}
