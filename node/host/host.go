package host

import (
	"fmt"
	"sync/atomic"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	webrtc "github.com/libp2p/go-libp2p/p2p/transport/webrtc"
	"github.com/libp2p/go-libp2p/p2p/transport/websocket"
	webtransport "github.com/libp2p/go-libp2p/p2p/transport/webtransport"
	"github.com/multiformats/go-multiaddr"
	"github.com/prometheus/client_golang/prometheus"
)

// New starts a host; the caller closes it.
func New(cfg Config) (host.Host, Info, error) {
	addrs, local, err := cfg.listen()
	if err != nil {
		return nil, Info{}, err
	}
	port, taken, err := choosePort(addrs, cfg.Port)
	if err != nil {
		return nil, Info{}, err
	}
	if addrs, err = withPort(addrs, port); err != nil {
		return nil, Info{}, err
	}
	var self atomic.Pointer[host.Host] // dials begin before New returns
	rank := libp2p.SwarmOpts(swarm.WithDialRanker(ranker(cfg.TCPFirst, func(p peer.ID) bool {
		h := self.Load()
		return h != nil && (*h).Network().Connectedness(p) == network.Connected
	})))
	info := Info{Port: port, PortTaken: taken, Local: local}
	info.FewConns, _ = cfg.marks()
	if !local {
		cfg.puncher = new(puncher)
		info.Punch = cfg.puncher.punch
		if !cfg.NoPortMap {
			cfg.portMap = new(portMap)
			info.Mapped = cfg.portMap.addrs
		}
	}
	opts, err := cfg.options(addrs, local)
	if err != nil {
		return nil, Info{}, err
	}
	h, err := libp2p.New(append(append(opts, rank), cfg.Options...)...)
	if err != nil {
		return nil, Info{}, fmt.Errorf("start host: %w", err)
	}
	self.Store(&h)
	return h, info, nil
}

// options are what all hosts share, and what reaches out unless local.
func (c *Config) options(addrs []multiaddr.Multiaddr, local bool) ([]libp2p.Option, error) {
	conns, err := connManager(c.marks())
	if err != nil {
		return nil, fmt.Errorf("connection manager: %w", err)
	}
	resources, err := c.resourceManager()
	if err != nil {
		return nil, fmt.Errorf("resource manager: %w", err)
	}
	opts := []libp2p.Option{
		libp2p.Identity(c.Key),
		libp2p.ListenAddrs(addrs...),
		libp2p.ProtocolVersion("tom/1"),
		libp2p.ConnectionManager(conns),
		libp2p.ResourceManager(resources),
		libp2p.QUICReuse(quicConns(c.Registerer, c.QUIC)),
		libp2p.EnableRelay(), // as a client; serving is up to who owns reachability
		reachability(c.Reachability),
		// A node with few peers dials seldom: its first failures would be taken
		// for a network without UDP or IPv6, and AutoNAT would stay blind.
		libp2p.UDPBlackHoleSuccessCounter(nil),
		libp2p.IPv6BlackHoleSuccessCounter(nil),
	}
	if c.UserAgent != "" {
		opts = append(opts, libp2p.UserAgent(c.UserAgent))
	}
	if c.Registerer != nil {
		opts = append(opts, libp2p.PrometheusRegisterer(c.Registerer))
	} else { // without a registry, disabled or not, the event bus takes the global one
		opts = append(opts, libp2p.PrometheusRegisterer(prometheus.NewRegistry()), libp2p.DisableMetrics())
	}
	opts = append(opts, c.transports(addrs)...)
	return append(opts, c.outside(local)...), nil
}

// transports are QUIC and TCP always, those that dialling costs nothing as well,
// and WebRTC, which has a machinery of its own, where it is listened on.
func (c *Config) transports(addrs []multiaddr.Multiaddr) []libp2p.Option {
	opts := []libp2p.Option{
		libp2p.Transport(newQUIC(c.Symmetric)),
		libp2p.Transport(newTCP),
		libp2p.Transport(webtransport.New),
		libp2p.Transport(websocket.New),
	}
	if uses(addrs, multiaddr.P_WEBRTC_DIRECT) {
		opts = append(opts, libp2p.Transport(webrtc.New))
	}
	if uses(addrs, multiaddr.P_WS) || uses(addrs, multiaddr.P_WSS) {
		opts = append(opts, libp2p.ShareTCPListener())
	}
	return opts
}

// outside is how a host learns to be reached from elsewhere.
func (c *Config) outside(local bool) []libp2p.Option {
	if local {
		return []libp2p.Option{libp2p.DisableIdentifyAddressDiscovery()}
	}
	opts := []libp2p.Option{c.autoNAT(), c.puncher.option(c)}
	if c.Advertise != nil {
		opts = append(opts, libp2p.AddrsFactory(c.Advertise))
	}
	if c.Dialled != nil {
		opts = append(opts, libp2p.ConnectionGater(dialHook(c.Dialled)))
	}
	if c.RelaySource != nil {
		opts = append(opts, c.autoRelay())
	}
	if c.portMap != nil {
		opts = append(opts, libp2p.NATManager(c.portMap.manager))
	}
	return opts
}

// reachability has the host believe r, and keeps AutoNAT v1 from having its say:
// its verdict comes late, and would end reservations that are in use.
func reachability(r network.Reachability) libp2p.Option {
	if r == network.ReachabilityPublic {
		return libp2p.ForceReachabilityPublic()
	}
	return libp2p.ForceReachabilityPrivate()
}
