package wire

import (
	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols/envelope"
)

// Refused is frame 12 of the group protocol, hub to member: [12, group bin 16,
// record id bin 16, reason uint, value uint]. The reasons are those of hop
// answers; one that is not known is a refusal all the same.
type Refused struct {
	Group  GroupID
	Record RecordID
	Reason envelope.Reason
	Value  uint64
}

func (f *Refused) frameType() uint64 { return 12 }
func (f *Refused) count() int        { return 4 }

func (f *Refused) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, f.Group[:])
	dst = msgp.AppendBytes(dst, f.Record[:])
	dst = msgp.AppendUint8(dst, uint8(f.Reason))
	return msgp.AppendUint64(dst, f.Value)
}

func (f *Refused) readFields(d *decoder) {
	f.Group = d.b16()
	f.Record = d.b16()
	f.Reason = envelope.Reason(min(d.uint(), 255))
	f.Value = d.uint()
}
