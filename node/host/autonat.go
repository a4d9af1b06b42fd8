package host

import (
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/protocol/autonatv2"
	"go.uber.org/fx"
)

// What strangers may ask of this node's AutoNAT, a minute. libp2p's own limit of
// one request a second in all would keep forty nodes of one school, switched on
// at once, from knowing for minutes how they can be reached; a request costs a
// dial of ours, and up to 100 kB of theirs where the address to dial is not the
// one they ask from.
const (
	autonatRequests = 300
	autonatPerPeer  = 20
	autonatDialData = 60
	autonatAtATime  = 2 // by one peer
)

// autoNAT has the host tell others whether they can be reached, and ask them. It
// stands in for libp2p's own AutoNAT v2, whose limits cannot be set, and which
// dials back from sockets that print warnings.
func (c *Config) autoNAT() libp2p.Option {
	return libp2p.WithFxOption(fx.Decorate(func(rm network.ResourceManager) (*autonatv2.AutoNAT, error) {
		dialer := newStranger(func() (host.Host, func() error, error) { return c.dialer(rm) })
		opts := []autonatv2.AutoNATOption{
			autonatv2.WithServerRateLimit(autonatRequests, autonatPerPeer, autonatDialData, autonatAtATime),
		}
		if c.Registerer != nil {
			opts = append(opts, autonatv2.WithMetricsTracer(autonatv2.NewMetricsTracer(c.Registerer)))
		}
		return autonatv2.New(dialer, opts...) // which closes the dialer
	}))
}
