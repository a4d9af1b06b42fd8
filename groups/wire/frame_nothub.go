package wire

import "github.com/tinylib/msgp/msgp"

// NotHub is frame 16 of the group protocol, from whoever is taken for a hub and
// follows another record: [16, group bin 16, hub record bin].
type NotHub struct {
	Group  GroupID
	Record []byte
}

func (f *NotHub) frameType() uint64 { return 16 }
func (f *NotHub) count() int        { return 2 }

func (f *NotHub) appendFields(dst []byte) []byte {
	return msgp.AppendBytes(msgp.AppendBytes(dst, f.Group[:]), f.Record)
}

func (f *NotHub) readFields(d *decoder) {
	f.Group = d.b16()
	f.Record = d.bin(MaxHubRecord)
}
