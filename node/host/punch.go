package host

import (
	"errors"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/peer"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"go.uber.org/fx"
)

// directDial bounds the dial to an address that a peer behind a NAT told of
// before a hole is punched, and each punch: three round trips to the other end of
// the world. libp2p waits 10 s.
const directDial = 1500 * time.Millisecond

// ErrNoPunch means that no hole can be punched: nobody has told this host yet
// what its address looks like from outside.
var ErrNoPunch = errors.New("no public address of ours is known yet")

// puncher punches holes for a host. It is libp2p's service, made here rather than
// by an option, because libp2p tries three times for each circuit and never
// again, and says to nobody how it went.
type puncher struct {
	host     *basichost.BasicHost
	service  *holepunch.Service
	observed basichost.ObservedAddrsManager
}

// option has the service run as long as the host.
func (p *puncher) option(c *Config) libp2p.Option {
	return libp2p.WithFxOption(fx.Invoke(func(h *basichost.BasicHost, ids identify.IDService, seen basichost.ObservedAddrsManager, life fx.Lifecycle) (err error) {
		p.host, p.observed = h, seen
		opts := []holepunch.Option{holepunch.DirectDialTimeout(directDial)}
		if c.Punches != nil || c.Registerer != nil {
			var mt holepunch.MetricsTracer
			if c.Registerer != nil {
				mt = holepunch.NewMetricsTracer(holepunch.WithRegisterer(c.Registerer))
			}
			opts = append(opts, holepunch.WithMetricsAndEventTracer(mt, c.Punches))
		}
		if p.service, err = holepunch.NewService(h, ids, p.addrs, opts...); err != nil {
			return err
		}
		life.Append(fx.StopHook(p.service.Close))
		return nil
	}))
}

// addrs are the host's addresses as seen from outside, also those that only one
// peer has seen, and those that nobody can reach before a hole is punched.
func (p *puncher) addrs() []multiaddr.Multiaddr {
	addrs := p.host.AllAddrs()
	if p.observed != nil {
		addrs = append(addrs, p.observed.Addrs(1)...)
	}
	return slices.DeleteFunc(multiaddr.Unique(addrs), func(a multiaddr.Multiaddr) bool { return !manet.IsPublicAddr(a) })
}

// punch tries for a direct connection to a peer that is connected by a circuit.
func (p *puncher) punch(id peer.ID) error {
	if !slices.Contains(p.host.Mux().Protocols(), holepunch.Protocol) {
		return ErrNoPunch
	}
	return p.service.DirectConnect(id)
}
