package host

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/protocol/autonatv2"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
	"github.com/libp2p/go-libp2p/x/rate"
)

// The connection manager trims to fewConns when there are more than manyConns,
// sparing those younger than youngConn and, before others, those with a
// reservation.
const (
	fewConns  = 128
	manyConns = 192
	youngConn = 30 * time.Second

	frugalConns = 3 // a host with LowMemory has so many times fewer
)

// marks are the connection manager's.
func (c *Config) marks() (few, many int) {
	share := 1
	if c.LowMemory {
		share = frugalConns
	}
	few = cmp.Or(c.FewConns, fewConns/share)
	return few, max(cmp.Or(c.ManyConns, manyConns/share), few)
}

func connManager(few, many int) (*connmgr.BasicConnMgr, error) {
	return connmgr.NewConnManager(few, many, connmgr.WithGracePeriod(youngConn))
}

// A household, a school or a carrier's NAT is one public address, or one IPv6
// /56, with many nodes behind it: so many connections it may have, and so fast it
// may make new ones. Forty nodes with three connections each (QUIC, TCP, and one
// that is being replaced), all switched on at once, fit in; libp2p's 8
// connections, and one new one each 5 s, do not hold a family. One address gets
// less than half of what the node has in all. Loopback is free.
const (
	connsPerAddress  = 160
	connsPerSite     = 240 // an IPv6 /48
	connsPerPeer     = 16  // each way, those being made included
	connRatePerAddr  = 4   // a second, in the long run
	connBurstPerAddr = 160
)

// resourceManager bounds what peers can make this device hold.
func (c *Config) resourceManager() (network.ResourceManager, error) {
	opts := []rcmgr.Option{
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: connsPerAddress}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 56, ConnCount: connsPerAddress}, {PrefixLength: 48, ConnCount: connsPerSite}},
		),
		rcmgr.WithNetworkPrefixLimit(
			[]rcmgr.NetworkPrefixLimit{{Network: loopback4, ConnCount: math.MaxInt}},
			[]rcmgr.NetworkPrefixLimit{{Network: loopback6, ConnCount: math.MaxInt}},
		),
		rcmgr.WithConnRateLimiters(connRates()),
	}
	if c.Registerer != nil {
		reporter, err := rcmgr.NewStatsTraceReporter()
		if err != nil {
			return nil, fmt.Errorf("resource metrics: %w", err)
		}
		opts = append(opts, rcmgr.WithTraceReporter(reporter))
	} else {
		opts = append(opts, rcmgr.WithMetricsDisabled())
	}
	return rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(c.limits()), opts...)
}

// frugalMemory is what peers together can make a host with LowMemory hold, bytes,
// and frugalFiles how many sockets it has for them.
const (
	frugalMemory = 64 << 20
	frugalFiles  = 256
)

// groupConns is how many connections more than others may make there is room for:
// the hub of a group of as many as may be in one holds one to each, and holds on to
// it. Of strangers who come in their stead the connection manager keeps fewConns.
const groupConns = 1024

// limits grow with the machine, unless it has little memory, and with how many
// connections it is to have.
func (c *Config) limits() rcmgr.ConcreteLimitConfig {
	l := scalingLimits()
	_, many := c.marks()
	group := 0
	if !c.LowMemory {
		many, group = max(many, manyConns), groupConns
	}
	l.SystemBaseLimit.ConnsInbound, l.SystemBaseLimit.ConnsOutbound, l.SystemBaseLimit.Conns = 2*many+group, 2*many, 3*many+group
	if !c.LowMemory {
		return l.AutoScale()
	}
	l.SystemBaseLimit.Memory = frugalMemory
	l.TransientBaseLimit.Memory = frugalMemory / 2
	l.PeerBaseLimit.Memory = frugalMemory / 4
	return l.Scale(0, frugalFiles)
}

var (
	loopback4 = netip.MustParsePrefix("127.0.0.0/8")
	loopback6 = netip.MustParsePrefix("::1/128")
)

func connRates() *rate.Limiter {
	perAddress := rate.Limit{RPS: connRatePerAddr, Burst: connBurstPerAddr}
	return &rate.Limiter{
		NetworkPrefixLimits: []rate.PrefixLimit{{Prefix: loopback4}, {Prefix: loopback6}},
		SubnetRateLimiter: rate.SubnetLimiter{
			IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: perAddress}},
			IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 56, Limit: perAddress}},
			GracePeriod:      time.Minute,
		},
	}
}

// scalingLimits are libp2p's, changed where a node of ours differs from a node
// of a file-sharing network: few streams, each long-lived, and no peer may use
// up what all need to have their streams negotiated.
func scalingLimits() rcmgr.ScalingLimitConfig {
	l := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&l)

	l.SystemBaseLimit.StreamsInbound = 4096
	l.SystemBaseLimit.StreamsOutbound = 4096
	l.SystemBaseLimit.Streams = 6144

	// Streams count as transient until their protocol is known. A peer gets a
	// sixteenth of that, so that half-open streams starve only their opener.
	l.TransientBaseLimit.ConnsInbound = 128
	l.TransientBaseLimit.ConnsOutbound = 128
	l.TransientBaseLimit.Conns = 192
	l.TransientBaseLimit.StreamsInbound = 1024
	l.TransientBaseLimit.StreamsOutbound = 1024
	l.TransientBaseLimit.Streams = 1536
	// A peer's addresses are dialled by eight at a time, while it dials ours, and
	// circuits to it stand. With libp2p's 8 connections, 4 of them by TCP, it was the
	// dial of a punch that was refused, and the hole cost a second try.
	l.PeerBaseLimit.ConnsInbound, l.PeerBaseLimit.ConnsOutbound, l.PeerBaseLimit.Conns = connsPerPeer, connsPerPeer, 2*connsPerPeer
	l.PeerBaseLimit.FD = 2 * connsPerPeer
	l.PeerBaseLimit.StreamsInbound = 64
	l.PeerBaseLimit.StreamsOutbound = 128
	l.PeerBaseLimit.Streams = 160
	l.PeerBaseLimit.Memory = 32 << 20
	l.PeerLimitIncrease = rcmgr.BaseLimitIncrease{}
	limitProtocols(&l)
	return l
}

// limitProtocols bounds what each protocol may take. Those of our own, and the
// DHT, share the default: no more than half of a peer's streams.
func limitProtocols(l *rcmgr.ScalingLimitConfig) {
	l.ProtocolBaseLimit.StreamsInbound, l.ProtocolBaseLimit.Streams = 2*groupConns, 4*groupConns
	l.ProtocolPeerBaseLimit.StreamsInbound = 32
	l.ProtocolPeerBaseLimit.StreamsOutbound = 64
	l.ProtocolPeerBaseLimit.Streams = 96

	// A circuit holds two buffers of 16 KiB for as long as it lasts, an incoming
	// stream and an outgoing one. So many circuits a relay may hold.
	const circuits = 384
	circuit := rcmgr.BaseLimit{StreamsInbound: circuits, StreamsOutbound: circuits, Streams: 2 * circuits, Memory: 64 << 20}
	l.AddServiceLimit(relay.ServiceName, circuit, rcmgr.BaseLimitIncrease{})
	l.AddServicePeerLimit(relay.ServiceName, limitStreams(48), rcmgr.BaseLimitIncrease{})
	for _, id := range []protocol.ID{proto.ProtoIDv2Hop, proto.ProtoIDv2Stop} {
		l.AddProtocolLimit(id, circuit, rcmgr.BaseLimitIncrease{})
		l.AddProtocolPeerLimit(id, limitStreams(48), rcmgr.BaseLimitIncrease{})
	}

	l.AddServiceLimit(holepunch.ServiceName, limitStreams(64), rcmgr.BaseLimitIncrease{})
	l.AddServicePeerLimit(holepunch.ServiceName, limitStreams(2), rcmgr.BaseLimitIncrease{})
	l.AddProtocolLimit(holepunch.Protocol, limitStreams(64), rcmgr.BaseLimitIncrease{})
	l.AddProtocolPeerLimit(holepunch.Protocol, limitStreams(2), rcmgr.BaseLimitIncrease{})

	l.AddServiceLimit(autonatv2.ServiceName, limitStreams(64), rcmgr.BaseLimitIncrease{})
	l.AddServicePeerLimit(autonatv2.ServiceName, limitStreams(autonatAtATime+2), rcmgr.BaseLimitIncrease{})
	for _, id := range []protocol.ID{autonatv2.DialProtocol, autonatv2.DialBackProtocol} {
		l.AddProtocolLimit(id, limitStreams(64), rcmgr.BaseLimitIncrease{})
		l.AddProtocolPeerLimit(id, limitStreams(autonatAtATime+2), rcmgr.BaseLimitIncrease{})
	}

	// gossipsub keeps one stream each way; a second is one that replaces it.
	for _, id := range []protocol.ID{"/meshsub/1.1.0", "/meshsub/1.2.0", "/meshsub/1.3.0"} {
		l.AddProtocolLimit(id, limitStreams(2*manyConns), rcmgr.BaseLimitIncrease{})
		l.AddProtocolPeerLimit(id, limitStreams(2), rcmgr.BaseLimitIncrease{})
	}
}

// limitStreams is n streams each way, with memory to match.
func limitStreams(n int) rcmgr.BaseLimit {
	return rcmgr.BaseLimit{
		StreamsInbound: n, StreamsOutbound: n, Streams: 2 * n,
		Memory: 1<<20 + int64(n)<<17,
	}
}
