package wire

import (
	"encoding/binary"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Message is the payload of a message record: sealed content.
//
//	0 chain       bin 16
//	1 index       uint
//	2 roster      uint    the roster's version that the chain is for
//	3 ciphertext  bin
//
// The nonce is the record's own: see MessageNonce.
type Message struct {
	Chain      ChainID
	Index      Index
	Roster     RosterVersion
	Ciphertext []byte
}

func (m *Message) count() int { return 4 }

func (m *Message) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, m.Chain[:])
	dst = msgp.AppendUint64(dst, uint64(m.Index))
	dst = msgp.AppendUint64(dst, uint64(m.Roster))
	return msgp.AppendBytes(dst, m.Ciphertext)
}

func (m *Message) readFields(d *decoder) {
	m.Chain = d.b16()
	m.Index = Index(d.uint())
	m.Roster = RosterVersion(d.uint())
	m.Ciphertext = d.bin(MaxRecord)
}

// Append appends the encoded payload.
func (m *Message) Append(dst []byte) []byte { return appendArray(dst, m) }

// ParseMessage reads the payload of a message record. Ciphertext aliases b.
func ParseMessage(b []byte) (*Message, error) {
	m := new(Message)
	return m, parseExact(b, MaxRecord, m)
}

// MessageNonce returns the nonce of a message's sealing: its record's id, and time as
// 8 bytes, big-endian. A message key is used once; where a device is put back to what it
// was, and gives one up twice, the records differ.
func MessageNonce(id RecordID, at Millis) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, len(id)+8), id[:]...), uint64(at))
}

// MessageAAD returns the additional data of a message's sealing: [group, record
// id, author, chain, index, roster hash].
func MessageAAD(g GroupID, id RecordID, author protocols.Key, c ChainID, i Index, roster RosterHash) []byte {
	b := msgp.AppendArrayHeader(make([]byte, 0, 160), 6)
	b = msgp.AppendBytes(b, g[:])
	b = msgp.AppendBytes(b, id[:])
	b = msgp.AppendBytes(b, author[:])
	b = msgp.AppendBytes(b, c[:])
	b = msgp.AppendUint64(b, uint64(i))
	return msgp.AppendBytes(b, roster[:])
}
