package courier

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Router knows relays by which a recipient may be reached.
type Router interface {
	// Routes are chains that end at a neighbour of the recipient, ranked best
	// first, for an envelope of so many bytes: at most four, each with a first
	// relay that is connected or can be dialled. It answers from memory.
	Routes(to protocols.Key, size int) []delivery.Route
	// Outcome takes the evidence of what a relay did with an envelope.
	Outcome(via protocols.Key, o delivery.Outcome)
	// Came is told of a verified envelope for this node that a relay brought:
	// the way back to its author. It answers at once.
	Came(author, via protocols.Key)
}

// Backup has messages of this node kept by others while their recipients are
// away, and others' by this node. None of its methods blocks.
type Backup interface {
	// Place has a message kept, until a receipt for it comes or Release.
	Place(it backup.Item)
	// Promised says that a node has signed for keeping a message that was placed.
	Promised(d envelope.Digest, holder protocols.Key, end time.Time)
	Release(d envelope.Digest)
	// Receipt takes a verified receipt, for messages of this node or of others.
	Receipt(r *ack.Receipt, raw []byte)
	// Came is told who, other than the author, brought a verified envelope for
	// this node, and Signed what this node has signed for.
	Came(via protocols.Key, d envelope.Digest)
	Signed(r *ack.Receipt, raw []byte)
}

// Transit passes on what is for others.
type Transit interface {
	// Carry takes over an envelope that is verified, within its time and not
	// for this node; its hop answer goes through in. Carry returns at once.
	Carry(in Inbound, e *envelope.Envelope)
	// Answered takes a hop answer that came from a peer and says whether it
	// was for an envelope that this node has passed on.
	Answered(p protocols.Key, a envelope.Answer) bool
}
