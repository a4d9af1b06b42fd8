package groups

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Lines is what groups need of the connections. Its methods may be called from
// any goroutine; only Connect blocks.
type Lines interface {
	// SendGroup queues a frame of the group protocol. The same bytes may go to
	// many: nobody changes them.
	SendGroup(p protocols.Key, frame []byte) error
	// SendHub is SendGroup for the hub protocol.
	SendHub(p protocols.Key, frame []byte) error
	Connected(p protocols.Key) bool
	// Connect dials the peer at the addresses known of it.
	Connect(ctx context.Context, p protocols.Key) error
}

// Inbound is a stream on which a peer sends frames.
type Inbound interface {
	Peer() protocols.Key
	// Misbehaved ends the stream.
	Misbehaved(err error)
}

// Post sends sealed messages of the protocol's own, which are on disk when it
// returns nil and reach peers that are away.
type Post func(ctx context.Context, to protocols.Key, contentType string, body []byte) error

// Row is a row on disk. Head and Value are one value there: what stands before a long
// one need not be copied together with it. The type has no name of its own: who keeps
// rows need not know groups.
type Row = struct{ Key, Head, Value []byte }

// Rows is a node's disk. What is applied is whole and synced, or not at all.
type Rows interface {
	Apply(puts []Row, deletes [][]byte) error
	Get(key []byte) (value []byte, ok bool, err error)
	Scan(prefix []byte, fn func(key, value []byte) error) error
}

// Shredder seals what is to be unreadable after its end.
type Shredder interface {
	Shred(end time.Time, b []byte) ([]byte, error)
	Unshred(end time.Time, sealed []byte) ([]byte, error)
}

// Ratchets keeps the states of chains of keys where they can be destroyed.
type Ratchets interface {
	Load(name string) ([]byte, error)
	Save(name string, b []byte) error
	Remove(name string) error
}

// Config is what a service is made with; every field is needed but
// those at the end that may be nil.
type Config struct {
	Signer   protocols.Signer
	Verifier wire.Verifier
	Prover   wire.Prover
	Lines    Lines
	Post     Post
	Rows     Rows
	Shred    Shredder
	Ratchets Ratchets
	Now      func() time.Time
	Name     func() string                        // what this node calls itself, for joins
	Addrs    func() [][]byte                      // where this node can be reached, for invitations
	Learn    func(addrs [][]byte) []protocols.Key // takes the addresses of an invitation, and says whose they are

	Boxes   Boxes    // nil: keys go by post alone
	Topics  Topics   // nil: members hear nothing past the hub
	Serving *Serving // of groups that this node is not in; nil: of none

	// Kin is told with whom this node shares a group from now on, and with whom it
	// does no more. It must not block. nil: nobody is.
	Kin func(k protocols.Key, is bool)

	// Agreed says whether the clocks of two nodes besides one, at least, tell what this
	// node's does. It must not block. nil: nobody knows.
	Agreed func(besides protocols.Key) bool

	// Notify is told of events, those of one group in order. It must not block.
	// nil: nobody is.
	Notify     func(Event)
	Registerer prometheus.Registerer // nil: metrics are counted and not shown
}

// Bounds of a service.
const (
	maxGroups  = 256
	maxInbox   = 1024 // inputs that wait for one group
	maxBatch   = 256  // of them taken before the disk is written
	maxQueued  = 256  // writes that wait for keys to be given
	maxInvites = 256  // that were received and not used
	maxGiving  = 8    // keys that are sealed at once
)

// Life is how long what is written in a group can be read.
const Life = 24 * time.Hour

// Errors of what a user asks for.
var (
	ErrNoGroup   = errors.New("there is no such group")
	ErrAmbiguous = errors.New("several groups are called so")
	ErrGone      = errors.New("this node is no member of the group any more")
	ErrRights    = errors.New("this takes an admin who is senior to whom it is about")
	ErrNoMember  = errors.New("no member of the group is called so")
	ErrTooMany   = errors.New("too many groups")
	ErrBusy      = errors.New("too much waits to be written in the group")
	ErrExpired   = errors.New("the invitation has expired")
	ErrMember    = errors.New("this node is a member already")
	ErrNobody    = errors.New("nobody answered who could let this node in")
	ErrRefused   = errors.New("the group's hub refuses it")
	ErrHistory   = errors.New("the group's log is not the one that the invitation spoke of")
	ErrSettings  = errors.New("settings out of bounds")
	ErrIsMember  = errors.New("whom it is for is a member already")
	ErrLife      = errors.New("an invitation is good for up to 24 hours")
	ErrTooLarge  = errors.New("too large for a group")
	ErrStopped   = errors.New("the service is not running")
	ErrNoInvite  = errors.New("there is no such invitation")
	ErrUnknown   = errors.New("no record of this node has that id")
)
