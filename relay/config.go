package relay

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/relay/choose"
	"github.com/tom-protocol/tom/relay/fair"
	"github.com/tom-protocol/tom/relay/role"
)

// Lines is what a relay needs of the connections. Only Connect blocks.
type Lines interface {
	// SendEnvelope queues a frame for the peer's connection and owns it from
	// then on; after nil, written is called once its bytes have left, or did
	// not. It must not be called from within SendEnvelope.
	SendEnvelope(p protocols.Key, frame []byte, written func(error)) error
	// Connected says whether a connection to the peer is open.
	Connected(p protocols.Key) bool
	// Connect dials the peer at the addresses known of it.
	Connect(ctx context.Context, p protocols.Key) error
}

// Inbound is the stream on which a peer brought an envelope.
type Inbound interface {
	Peer() protocols.Key
	// Answer queues a hop answer.
	Answer(frame []byte) error
}

// Atlas is what this node knows of who is where. It answers from memory.
type Atlas interface {
	// Neighbours are the peers that are connected.
	Neighbours() []choose.Candidate
	// Look is what is known of any peer.
	Look(p protocols.Key) choose.Candidate
	// Behind are the relays in a peer's circuit addresses.
	Behind(p protocols.Key) []protocols.Key
	// Known says that some address of the peer is known; direct, that one is
	// which needs no relay.
	Known(p protocols.Key) (known, direct bool)
	// Stranger says that a peer is neither a contact nor one that this node has
	// written to.
	Stranger(p protocols.Key) bool
}

// Config is what a relay works with. Self, Lines and Atlas are needed.
type Config struct {
	Self  protocols.Key
	Lines Lines
	Atlas Atlas

	Mode   role.Mode
	Public func() bool // this node can be reached from outside; nil: it cannot

	// Finds says that Lines.Connect looks for a peer whose address is not known.
	Finds bool

	// Keeper keeps what this node would pass on and cannot; nil: nobody does.
	Keeper Keeper

	// File keeps what was measured of peers; empty: it ends with the process.
	File string

	// RolesChanged is told of new roles; nil: nobody is. It must not block.
	RolesChanged func(roles []uint8)

	Now        func() time.Time // time.Now
	Limits     *Limits          // DefaultLimits
	Registerer prometheus.Registerer
}

// Limits bound what a relay does for others. Each is told to who meets it: busy
// with the time after which to come again, or refused for quota where the time
// would not help who is told.
type Limits struct {
	// Queue is what may be in flight, that is, given to a next hop that has not
	// answered, and what may wait for that. It bounds the memory of a relay.
	Queue fair.Limits

	// Wait is how long an envelope waits in the queue at most: it is a part of
	// the two seconds that the sender gives us.
	Wait time.Duration

	// Total is the rate of everything, Strangers that of all strangers together.
	Total, Strangers fair.Rate

	// Friend and Stranger are the rates of one peer of that kind: of what it
	// brings, and again of what it has written, whoever brings it.
	Friend, Stranger fair.Rate

	// Passages is how many envelopes are remembered for two seconds each.
	Passages int

	// Dials is how many next hops are dialled at once, half of it for strangers.
	Dials int
}

// DefaultLimits suit a home line: a relay that is always on gives at most some
// 16 MiB/s, and a peer it does not know half a mebibyte.
func DefaultLimits() Limits {
	const mib = 1 << 20
	return Limits{
		Queue:     fair.Limits{Flight: 4096, FlightBytes: 16 * mib, Waiting: 2048, WaitingBytes: 8 * mib},
		Wait:      500 * time.Millisecond,
		Total:     fair.Rate{Envelopes: 16000, Bytes: 16 * mib, Burst: 2 * time.Second},
		Strangers: fair.Rate{Envelopes: 8000, Bytes: 8 * mib, Burst: 2 * time.Second},
		Friend:    fair.Rate{Envelopes: 4000, Bytes: 8 * mib, Burst: 2 * time.Second},
		Stranger:  fair.Rate{Envelopes: 256, Bytes: mib / 2, Burst: 4 * time.Second},
		Passages:  32768,
		Dials:     16,
	}
}
