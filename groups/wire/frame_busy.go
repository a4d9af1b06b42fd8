package wire

import "github.com/tinylib/msgp/msgp"

// Busy is frame 13 of the group protocol, hub to member: [13, group bin 16,
// record id bin 16, ms uint]. Come again after so many milliseconds.
type Busy struct {
	Group  GroupID
	Record RecordID
	Retry  Millis
}

func (f *Busy) frameType() uint64 { return 13 }
func (f *Busy) count() int        { return 3 }

func (f *Busy) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, f.Group[:])
	dst = msgp.AppendBytes(dst, f.Record[:])
	return msgp.AppendUint64(dst, uint64(f.Retry))
}

func (f *Busy) readFields(d *decoder) {
	f.Group = d.b16()
	f.Record = d.b16()
	f.Retry = d.time()
}
