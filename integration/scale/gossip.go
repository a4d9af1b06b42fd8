package scale

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/metrics"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// gossip counts the bytes of gossipsub that a host sends and receives. libp2p's
// own counter has a goroutine for the whole process, which no bubble can hold.
type gossip struct{ bytes atomic.Int64 }

// add counts a message if it is gossip.
func (g *gossip) add(size int64, id protocol.ID) {
	if strings.Contains(string(id), "/meshsub/") {
		g.bytes.Add(size)
	}
}

// LogSentMessageStream implements metrics.Reporter.
func (g *gossip) LogSentMessageStream(size int64, id protocol.ID, _ peer.ID) { g.add(size, id) }

// LogRecvMessageStream implements metrics.Reporter.
func (g *gossip) LogRecvMessageStream(size int64, id protocol.ID, _ peer.ID) { g.add(size, id) }

// LogSentMessage implements metrics.Reporter; streams tell more.
func (g *gossip) LogSentMessage(int64) {}

// LogRecvMessage implements metrics.Reporter; streams tell more.
func (g *gossip) LogRecvMessage(int64) {}

// GetBandwidthForPeer implements metrics.Reporter; nobody asks.
func (g *gossip) GetBandwidthForPeer(peer.ID) (s metrics.Stats) { return s }

// GetBandwidthForProtocol implements metrics.Reporter; nobody asks.
func (g *gossip) GetBandwidthForProtocol(protocol.ID) (s metrics.Stats) { return s }

// GetBandwidthTotals implements metrics.Reporter; nobody asks.
func (g *gossip) GetBandwidthTotals() (s metrics.Stats) { return s }

// GetBandwidthByPeer implements metrics.Reporter; nobody asks.
func (g *gossip) GetBandwidthByPeer() map[peer.ID]metrics.Stats { return nil }

// GetBandwidthByProtocol implements metrics.Reporter; nobody asks.
func (g *gossip) GetBandwidthByProtocol() map[protocol.ID]metrics.Stats { return nil }

// Reset implements metrics.Reporter.
func (g *gossip) Reset() { g.bytes.Store(0) }

// TrimIdle implements metrics.Reporter.
func (g *gossip) TrimIdle(time.Time) {}
