package wire

import (
	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Message is the payload of a message record: sealed content.
//
//	0 chain       bin 16
//	1 index       uint
//	2 roster      uint    the roster's version that the chain is for
//	3 nonce       bin 24
//	4 ciphertext  bin
type Message struct {
	Chain      ChainID
	Index      Index
	Roster     RosterVersion
	Nonce      [24]byte
	Ciphertext []byte
}

func (m *Message) count() int { return 5 }

func (m *Message) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, m.Chain[:])
	dst = msgp.AppendUint64(dst, uint64(m.Index))
	dst = msgp.AppendUint64(dst, uint64(m.Roster))
	dst = msgp.AppendBytes(dst, m.Nonce[:])
	return msgp.AppendBytes(dst, m.Ciphertext)
}

func (m *Message) readFields(d *decoder) {
	m.Chain = d.b16()
	m.Index = Index(d.uint())
	m.Roster = RosterVersion(d.uint())
	d.fixed(m.Nonce[:])
	m.Ciphertext = d.bin(MaxRecord)
}

// Append appends the encoded payload.
func (m *Message) Append(dst []byte) []byte { return appendArray(dst, m) }

// ParseMessage reads the payload of a message record. Ciphertext aliases b.
func ParseMessage(b []byte) (*Message, error) {
	m := new(Message)
	return m, parseExact(b, MaxRecord, m)
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
