package reach

import (
	"time"

	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/prometheus/client_golang/prometheus"
)

// Resources are what this node gives others who come by it. libp2p's defaults
// (128 KiB and two minutes a circuit, eight reservations an address) reset a
// circuit in the middle of one full envelope, and lock out a school.
func Resources() relay.Resources {
	return relay.Resources{
		Limit: &relay.RelayLimit{
			Duration: 30 * time.Minute,
			Data:     64 << 20, // each way: 256 envelopes of the largest size
		},
		ReservationTTL:  time.Hour,
		MaxReservations: 128,      // as many as the connection manager leaves in peace
		MaxCircuits:     32,       // of one peer
		BufferSize:      16 << 10, // of each way of a circuit

		MaxReservationsPerIP:  64, // a school, or a carrier's NAT
		MaxReservationsPerASN: 96,
	}
}

// Serve starts to relay for others, or ends it, circuits in use included.
// Calling it again changes nothing.
func (s *Service) Serve(on bool) error {
	s.serveMu.Lock()
	defer s.serveMu.Unlock()
	if on == (s.relay != nil) {
		return nil
	}
	if !on {
		r := s.relay
		s.relay = nil
		return r.Close()
	}
	opts := []relay.Option{relay.WithResources(Resources())}
	if s.metrics != nil {
		opts = append(opts, relay.WithMetricsTracer(s.metrics))
	}
	h := s.hostNow()
	if h.Local { // where all addresses are of one machine, those will do
		opts = append(opts, relay.WithReservationAddressFilter(manet.IsIPLoopback))
	}
	r, err := relay.New(h, opts...)
	if err != nil {
		return err
	}
	s.relay = r
	return nil
}

// Serving says that this node relays for others now.
func (s *Service) Serving() bool {
	s.serveMu.Lock()
	defer s.serveMu.Unlock()
	return s.relay != nil
}

// relayMetrics are libp2p's, registered once though the service may start again.
func relayMetrics(reg prometheus.Registerer) relay.MetricsTracer {
	if reg == nil {
		return nil
	}
	return relay.NewMetricsTracer(relay.WithRegisterer(reg))
}
