package store

import (
	"encoding/binary"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Incoming is a message that came to this node.
type Incoming struct {
	ID       envelope.ID
	From     protocols.Key
	Digest   envelope.Digest
	Created  time.Time
	End      time.Time // from then on the row is neither listed nor readable
	Received time.Time
	Path     string // how it came, such as "direct"
	// Stranger is what Stranger(From) said on receipt: the message counts to
	// the half of the inbox that strangers share. When read back it says how
	// things stand now.
	Stranger bool
	// Muted is what Muted(From) said on receipt: the message raises no event.
	// When read back it says how things stand now.
	Muted bool
	// Hidden marks what the protocol sends for itself: only the duplicate
	// window keeps it, Content is not stored and no event is raised.
	Hidden  bool
	Content []byte // the plaintext without padding

	// Outcome is set by Receive before it returns.
	Outcome Outcome
	// Cursor is the event number of the message, set before done is called.
	Cursor Cursor
	// Read is when the user read the message; zero if not yet. Read back only.
	Read time.Time
	// Unreadable means that the content's key is gone before its time, or that
	// the row is damaged: Content is nil. Read back only.
	Unreadable bool

	silent bool // muted on receipt
}

// Outcome is what Receive made of one message.
type Outcome uint8

// The outcomes of Receive.
const (
	// Storing: the message is being stored; done tells of it.
	Storing Outcome = iota + 1
	// Duplicate: the same author and id are stored or being stored, perhaps
	// with another digest: nothing is done. Ask Seen.
	Duplicate
	// NoRoom: the inbox, or the strangers' half of it, is full: answer busy.
	NoRoom
)

const (
	// windowCost is what an entry of the duplicate window is reckoned to take in
	// the inbox, and rowCost an inbox row beside its content, in bytes.
	windowCost = 128
	rowCost    = 256
	// windowSlack is how long a window entry outlives its message: as long as
	// clocks may differ.
	windowSlack = 5 * time.Minute
)

func (in *Incoming) weight() int64 {
	if in.Hidden {
		return windowCost
	}
	return windowCost + rowWeight(len(in.Content))
}

func rowWeight(content int) int64 { return int64(content + rowCost) }

const (
	flagStranger = 1 << iota
	flagMuted
)

// append packs the inbox row; sealed is the content under its shred key.
func (in *Incoming) append(b, sealed []byte) []byte {
	b = append(b, flag(in.Stranger, flagStranger)|flag(in.Muted, flagMuted))
	b = append(b, in.ID[:]...)
	b = append(b, in.From[:]...)
	b = append(b, in.Digest[:]...)
	b = appendTime(b, in.Created)
	b = appendTime(b, in.End)
	b = appendTime(b, in.Received)
	b = appendText(b, in.Path)
	b = binary.AppendUvarint(b, uint64(len(in.Content)))
	return append(b, sealed...)
}

// parseIncoming reads an inbox row, flags as on receipt. Content is still under
// its shred key and aliases row; size is the length of the plaintext.
func parseIncoming(c Cursor, row []byte) (in *Incoming, size int, err error) {
	u := unpacker{b: row}
	in = &Incoming{Cursor: c}
	flags := u.byte()
	in.Stranger, in.Muted = flags&flagStranger != 0, flags&flagMuted != 0
	u.fixed(in.ID[:])
	u.fixed(in.From[:])
	u.fixed(in.Digest[:])
	in.Created, in.End, in.Received = u.time(), u.time(), u.time()
	in.Path = u.text()
	size = int(u.uint())
	in.Content = u.b
	return in, size, u.err
}
