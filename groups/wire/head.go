package wire

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Head is a hub's word on its log up to a place.
//
//	0 group     bin 16
//	1 number    uint
//	2 opened    bin 32   hash of the hub record that opened the term
//	3 primary   bin 32   signs
//	4 seq       uint
//	5 log hash  bin 32   of the log up to seq
//	6 time      uint     the hub's, monotone
//	7 sig       bin 64   tom-group-head-v1
type Head struct {
	Group   GroupID
	Term    Term
	Primary protocols.Key
	Seq     Seq
	Log     LogHash
	Time    Millis
	signed
}

// MaxHead is the length of the longest head, in bytes.
const MaxHead = 1 + 18 + 9 + 34 + 34 + 9 + 34 + 9 + 66

func (h *Head) count() int            { return 7 }
func (h *Head) tag() protocols.Tag    { return protocols.TagGroupHead }
func (h *Head) signer() protocols.Key { return h.Primary }

func (h *Head) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, h.Group[:])
	dst = msgp.AppendUint64(dst, uint64(h.Term.Number))
	dst = msgp.AppendBytes(dst, h.Term.Opened[:])
	dst = msgp.AppendBytes(dst, h.Primary[:])
	dst = msgp.AppendUint64(dst, uint64(h.Seq))
	dst = msgp.AppendBytes(dst, h.Log[:])
	return msgp.AppendUint64(dst, uint64(h.Time))
}

func (h *Head) readFields(d *decoder) {
	h.Group = d.b16()
	h.Term.Number = Number(d.uint())
	h.Term.Opened = d.b32()
	h.Primary = d.key()
	h.Seq = Seq(d.uint())
	h.Log = d.b32()
	h.Time = d.time()
}

// Sign returns the signed head. Primary is the signer's key.
func (h Head) Sign(s protocols.Signer) []byte {
	h.Primary = s.Public()
	return sign(s, &h)
}

// ParseHead reads a head and verifies it.
func ParseHead(v Verifier, b []byte) (*Head, error) {
	h, err := verified(v, b, MaxHead, &Head{})
	if err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	return h, nil
}

// Equivocates says whether the two heads prove that one hub signed two logs.
func (h *Head) Equivocates(o *Head) bool {
	return h.Group == o.Group && h.Term == o.Term && h.Primary == o.Primary && h.Seq == o.Seq && h.Log != o.Log
}
