package host

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/x/rate"
)

// The connection manager trims to fewConns when there are more than manyConns,
// sparing those younger than youngConn.
const (
	fewConns  = 96
	manyConns = 160
	youngConn = 30 * time.Second
)

func connManager() (*connmgr.BasicConnMgr, error) {
	return connmgr.NewConnManager(fewConns, manyConns, connmgr.WithGracePeriod(youngConn))
}

// A household, an office or a carrier's NAT is one public address with many
// nodes behind it: so many connections it may have, and so fast it may make
// new ones. Loopback is free.
const (
	connsPerAddress  = 32
	connsPerSite     = 128 // an IPv6 /48
	connRatePerAddr  = 1   // a second, in the long run
	connBurstPerAddr = 48
)

// resourceManager bounds what peers can make this device hold.
func resourceManager(metrics bool) (network.ResourceManager, error) {
	limits := scalingLimits()
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
	if metrics {
		reporter, err := rcmgr.NewStatsTraceReporter()
		if err != nil {
			return nil, fmt.Errorf("resource metrics: %w", err)
		}
		opts = append(opts, rcmgr.WithTraceReporter(reporter))
	} else {
		opts = append(opts, rcmgr.WithMetricsDisabled())
	}
	return rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(limits.AutoScale()), opts...)
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

	l.SystemBaseLimit.ConnsInbound = 2 * manyConns
	l.SystemBaseLimit.ConnsOutbound = 2 * manyConns
	l.SystemBaseLimit.Conns = 3 * manyConns
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
	l.PeerBaseLimit.StreamsInbound = 64
	l.PeerBaseLimit.StreamsOutbound = 128
	l.PeerBaseLimit.Streams = 160
	l.PeerBaseLimit.Memory = 32 << 20
	l.PeerLimitIncrease = rcmgr.BaseLimitIncrease{}
	return l
}
