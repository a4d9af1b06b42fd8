package host

import (
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/p2p/host/autorelay"
	"github.com/libp2p/go-libp2p/p2p/host/observedaddrs"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
)

// Relays is how many relays a node that cannot be reached keeps a reservation
// with: when one dies, its friends come by the other.
const Relays = 2

const (
	relayCandidates = 3 // asked for at once; which of them is used first is left to chance

	// relayInterval is between two questions for candidates, and relayBackoff
	// until a relay that refused is asked again. libp2p waits 30 s and an hour.
	relayInterval = time.Second
	relayBackoff  = 20 * time.Second

	// relayDial bounds the wait for a relay while a circuit is set up; all other
	// relays of that peer wait meanwhile.
	relayDial = 2 * time.Second

	// observers is how many peers must agree on an address of ours before it
	// counts. libp2p wants four, which a small network does not have; one alone
	// could send the others anywhere.
	observers = 2

	// punchTalk bounds the agreement on a punch, which goes over a circuit. libp2p
	// waits a minute for an answer that a relay which died will not bring, and a
	// host that is closed waits with it.
	punchTalk = 5 * time.Second
)

func init() { // libp2p has variables where these should be options
	observedaddrs.ActivationThresh = observers
	client.DialRelayTimeout = relayDial
	holepunch.StreamTimeout = punchTalk
}

// autoRelay keeps reservations with relays while the reachability event says
// private.
func (c *Config) autoRelay() libp2p.Option {
	return libp2p.EnableAutoRelayWithPeerSource(c.RelaySource,
		autorelay.WithNumRelays(Relays),
		autorelay.WithMinCandidates(1), autorelay.WithMaxCandidates(relayCandidates),
		autorelay.WithBootDelay(0),
		autorelay.WithMinInterval(relayInterval), autorelay.WithBackoff(relayBackoff),
		autorelay.WithMaxCandidateAge(10*time.Minute),
	)
}
