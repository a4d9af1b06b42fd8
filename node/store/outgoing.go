package store

import (
	"encoding/binary"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Outgoing is a message that this node has to deliver.
type Outgoing struct {
	ID       envelope.ID
	To       protocols.Key
	Created  time.Time     // in whole milliseconds
	Lifetime time.Duration // from Created on; at its end everything but a word is gone
	// Control marks what the protocol sends for itself, such as receipts: it
	// raises no event and leaves no status behind.
	Control        bool
	DemandsSecrecy bool // never to be sealed to the identity key
	// Keep has the content kept for [Store.Talk] until the message's end,
	// delivered or not, while there is room. Not read back.
	Keep          bool
	ForwardSecret bool // the envelope is sealed to a prekey
	Reseals       int  // how many predecessors the recipient could not open
	// Supersedes is the message whose content this one carries anew; zero for
	// none. Its status points to this one from the same commit on, and its
	// outbox row is gone.
	Supersedes envelope.ID

	Content  []byte          // the plaintext without padding, kept to be sealed (again)
	Envelope []byte          // as it goes out; nil until sealed
	Digest   envelope.Digest // of Envelope
	Holders  []protocols.Key // as KeepHolders was told; read back by Pending alone
}

// End is when the message's lifetime is over.
func (o *Outgoing) End() time.Time { return o.Created.Add(o.Lifetime) }

// outgoingCost is what an outgoing message is reckoned to take beside its
// content and envelope, in bytes.
const outgoingCost = 512

func (o *Outgoing) weight() int64 {
	return int64(len(o.Content) + len(o.Envelope) + outgoingCost)
}

const (
	flagControl = 1 << iota
	flagDemandsSecrecy
	flagForwardSecret
	flagSealed
)

func flag(set bool, f byte) byte {
	if set {
		return f
	}
	return 0
}

// append packs the row; sealed is the content under its shred key.
func (o *Outgoing) append(b, sealed []byte) []byte {
	b = append(b, flag(o.Control, flagControl)|flag(o.DemandsSecrecy, flagDemandsSecrecy)|
		flag(o.ForwardSecret, flagForwardSecret)|flag(o.Envelope != nil, flagSealed))
	b = append(b, o.To[:]...)
	b = appendTime(b, o.Created)
	b = binary.AppendUvarint(b, uint64(o.Lifetime/time.Millisecond))
	b = binary.AppendUvarint(b, uint64(o.Reseals))
	b = append(b, o.Supersedes[:]...)
	b = appendBytes(b, sealed)
	if o.Envelope != nil {
		b = append(b, o.Digest[:]...)
		b = appendBytes(b, o.Envelope)
	}
	return b
}

// parseOutgoing reads a row. Content is still under its shred key; Content and
// Envelope alias row.
func parseOutgoing(id envelope.ID, row []byte) (*Outgoing, error) {
	u := unpacker{b: row}
	o := &Outgoing{ID: id}
	flags := u.byte()
	o.Control = flags&flagControl != 0
	o.DemandsSecrecy = flags&flagDemandsSecrecy != 0
	o.ForwardSecret = flags&flagForwardSecret != 0
	u.fixed(o.To[:])
	o.Created = u.time()
	o.Lifetime = time.Duration(u.uint()) * time.Millisecond
	o.Reseals = int(u.uint())
	u.fixed(o.Supersedes[:])
	o.Content = u.bytes()
	if flags&flagSealed != 0 {
		u.fixed(o.Digest[:])
		o.Envelope = u.bytes()
	}
	return o, u.err
}

// appendSealed packs the row of an envelope that came after its message.
func appendSealed(b, frame []byte, digest envelope.Digest, forwardSecret bool) []byte {
	b = append(b, flag(forwardSecret, flagForwardSecret))
	b = append(b, digest[:]...)
	return appendBytes(b, frame)
}

// seal reads the row of an envelope into its message.
func (o *Outgoing) seal(row []byte) error {
	u := unpacker{b: row}
	o.ForwardSecret = u.byte()&flagForwardSecret != 0
	u.fixed(o.Digest[:])
	o.Envelope = u.bytes()
	return u.err
}
