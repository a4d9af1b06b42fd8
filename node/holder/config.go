package holder

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Lines is what the service needs of the connections. Only Connect blocks.
type Lines interface {
	// SendBackup queues a question for a peer, and owns it from then on;
	// written is called once its bytes have left, or did not.
	SendBackup(p protocols.Key, frame []byte, written func(error)) error
	SendEnvelope(p protocols.Key, frame []byte, written func(error)) error
	SendAck(p protocols.Key, frame []byte) error
	Connected(p protocols.Key) bool
	Connect(ctx context.Context, p protocols.Key) error
}

// Disk is what the service needs of the store.
type Disk interface {
	Keep(k *store.Kept, encoded []byte, done func(error))
	KeptBytes(d envelope.Digest) ([]byte, error)
	KeptAdmission(d envelope.Digest) ([]byte, error)
	KeepHolders(d envelope.Digest, end time.Time, holders []protocols.Key)
	Purge(d envelope.Digest, receipt []byte, done func(error))
	EachKept(fn func(*store.Kept)) error
	Load(id envelope.ID) (*store.Outgoing, error)
	Admission(p protocols.Key) ([]byte, bool)
}

// Post is where mail goes that holders had, and what they tell of this node's
// own messages.
type Post interface {
	// Fetched takes in envelopes that a holder had for this node.
	Fetched(from protocols.Key, frames [][]byte)
	// Receipts takes in a frame of receipts, as on /tom/ack.
	Receipts(from protocols.Key, frame []byte) error
	// Placed says that the holders of a message of this node have changed.
	Placed(id envelope.ID, p backup.Placement)
}

// Mode says whether the node keeps anything for others.
type Mode uint8

// The modes.
const (
	Auto Mode = iota // as there is room
	On
	Off
)

// ParseMode reads a mode; the empty text is Auto.
func ParseMode(s string) (Mode, error) {
	switch s {
	case "", "auto":
		return Auto, nil
	case "on":
		return On, nil
	case "off":
		return Off, nil
	}
	return Auto, fmt.Errorf("%q is neither auto, on nor off", s)
}

// Config is what a service works with; every field is needed but those that say
// otherwise.
type Config struct {
	Signer  protocols.Signer
	Now     func() time.Time
	InDoubt func() bool // says that Now may be wrong by hours: nothing may end
	Disk    Disk
	Lines   Lines
	Post    Post
	Mode    Mode
	Limits  backup.Limits

	// Expected says that there may be mail for this node: it was in the network
	// before.
	Expected bool

	// Candidates are nodes that may hold mail, as this node knows them, from
	// memory.
	Candidates func(recipient protocols.Key) []backup.Candidate
	// Offers says that a peer claims to take on the role.
	Offers func(p protocols.Key) bool

	// Provide makes known in the DHT that this node offers what a digest stands
	// for, and Providers finds who does; nil: there is no DHT.
	Provide   func(ctx context.Context, digest [sha256.Size]byte) error
	Providers func(ctx context.Context, digest [sha256.Size]byte, n int) []protocols.Key

	Registerer prometheus.Registerer // nil: metrics are counted and not shown
}

// mailboxDigest is what the holders of a recipient's mail are found under on the
// day of a time.
func mailboxDigest(recipient protocols.Key, at time.Time) [sha256.Size]byte {
	b := append([]byte("tom-mailbox"), recipient[:]...)
	day := at.UnixMilli() / (24 * time.Hour).Milliseconds()
	return sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(day)))
}
