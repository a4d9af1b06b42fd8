package links

import (
	"context"
	"time"

	"github.com/multiformats/go-multiaddr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/heartbeat"
	"github.com/tom-protocol/tom/protocols/stream"
)

// Peer names a neighbour.
type Peer = protocols.Key

// Config says how to speak and whom to tell. Hello is needed; the zero value
// of any other field works.
type Config struct {
	Network protocols.Network             // whose protocol ids to use; Main
	Now     func() time.Time              // wall clock, for comparing clocks; time.Now
	Hello   func(to Peer) heartbeat.Hello // what to say about this node, asked for each connection

	// Addrs adds to the addresses at which Connect may dial a peer; nil: only
	// those the host knows. The result is only read.
	Addrs func(Peer) []multiaddr.Multiaddr

	// Find looks for addresses of a peer elsewhere, for Connect; nil: nowhere.
	Find func(ctx context.Context, p Peer) ([]multiaddr.Multiaddr, error)

	// Friend says whose state is followed also when nobody waits, and told;
	// nil: everybody's. It must not call Links.
	Friend func(Peer) bool

	// Expose puts each stream of ours, and of neighbours, into bad weather; nil:
	// there is none, and none of it stands in the way.
	Expose func(stream.Raw) stream.Raw

	Load func() uint8 // how busy this node is, 255 the most, for its beats; nil: 0

	Limits     Limits
	Registerer prometheus.Registerer // nil: metrics are counted and not shown
	Handlers   Handlers
}

// Limits bounds what neighbours can cost. The zero value of a field means its
// default.
type Limits struct {
	Streams   int           // streams one neighbour may have open here, per protocol; 4
	Rate      float64       // streams it may open here per second, in the long run; 4, as many as a circuit renewed each second takes
	Burst     int           // and at once; 16
	Misdeed   int           // streams of that allowance which each misbehaviour costs; 4
	HelloWait time.Duration // until we say hello on a connection that a neighbour opened in silence; 2 s
	Probe     time.Duration // until a connection that shows no sign of life is dead; 2 s
	Line      stream.Limits // of each stream; its Idle is ours, neighbours' streams get half as much again
}

func (l Limits) withDefaults() Limits {
	def(&l.Streams, 4)
	def(&l.Rate, 4)
	def(&l.Burst, 16)
	def(&l.Misdeed, 4)
	def(&l.HelloWait, 2*time.Second)
	def(&l.Probe, 2*time.Second)
	def(&l.Line.Idle, time.Minute)
	return l
}

func def[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// Handlers is told what happens. A nil handler is not told.
//
// Up, Hello, LineLost, Down and State come from one goroutine, in this order for
// each connected spell of a peer, and must not block. The others come from the
// goroutine that reads the stream: while one blocks, nothing more is read from
// that stream, and only from that one. Frames are the handler's to keep.
type Handlers struct {
	// Up: there is a live connection, which goes by path, and the peer speaks
	// our protocols. Once more whenever another connection is used for what
	// follows: a newer one, for the older ones may be what a process that was
	// killed has left behind, or one that is left when a better one ended.
	Up func(p Peer, path delivery.Path)
	// Down: the last connection is gone, and our streams with it.
	Down func(p Peer)
	// Hello: the newest hello of the peer. rtt is 0 where the peer spoke first;
	// local says that we did.
	Hello func(p Peer, h heartbeat.Hello, rtt time.Duration, local bool)
	// LineLost: our stream for envelopes broke. What was written to it and not
	// answered may or may not have arrived. A stream that gave way to one on a
	// better connection, and was answered to the end, is not lost.
	LineLost func(p Peer)

	// Envelopes: frames of one incoming stream, in order.
	Envelopes func(in *Inbound, frames [][]byte)
	// Answers: what came back on our own stream for envelopes.
	Answers func(p Peer, frames [][]byte)
	// Acks: frames of receipts.
	Acks func(in *Inbound, frames [][]byte)
	// Questions: frames of the backup protocol.
	Questions func(in *Inbound, frames [][]byte)
	// BackupAnswers: what came back on our own stream for backups.
	BackupAnswers func(p Peer, frames [][]byte)
	// Group and Hub: frames of the two protocols of groups.
	Group, Hub func(in *Inbound, frames [][]byte)

	// Beat: a beat was answered.
	Beat func(p Peer, b Beat)
	// Presence: a frame of presence. The peer is who sent it, not always whom
	// it is about.
	Presence func(p Peer, frame []byte)
	// State: a friend came, went, or has not come back.
	State func(p Peer, s State, at time.Time)
}

func (h Handlers) withDefaults() Handlers {
	if h.Up == nil {
		h.Up = func(Peer, delivery.Path) {}
	}
	if h.Down == nil {
		h.Down = func(Peer) {}
	}
	if h.Hello == nil {
		h.Hello = func(Peer, heartbeat.Hello, time.Duration, bool) {}
	}
	if h.LineLost == nil {
		h.LineLost = func(Peer) {}
	}
	if h.Envelopes == nil {
		h.Envelopes = func(*Inbound, [][]byte) {}
	}
	if h.Answers == nil {
		h.Answers = func(Peer, [][]byte) {}
	}
	if h.Questions == nil {
		h.Questions = func(*Inbound, [][]byte) {}
	}
	if h.BackupAnswers == nil {
		h.BackupAnswers = func(Peer, [][]byte) {}
	}
	if h.Acks == nil {
		h.Acks = func(*Inbound, [][]byte) {}
	}
	if h.Group == nil {
		h.Group = func(*Inbound, [][]byte) {}
	}
	if h.Hub == nil {
		h.Hub = func(*Inbound, [][]byte) {}
	}
	if h.Beat == nil {
		h.Beat = func(Peer, Beat) {}
	}
	if h.Presence == nil {
		h.Presence = func(Peer, []byte) {}
	}
	if h.State == nil {
		h.State = func(Peer, State, time.Time) {}
	}
	return h
}
