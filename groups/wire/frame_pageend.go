package wire

import "github.com/tinylib/msgp/msgp"

// PageEnd is frame 17 of the group protocol, hub to member, before the pages
// that answer the Sync n: [17, n uint, group bin 16, more bool].
type PageEnd struct {
	N     uint64
	Group GroupID
	More  bool
}

func (f *PageEnd) frameType() uint64 { return 17 }
func (f *PageEnd) count() int        { return 3 }

func (f *PageEnd) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(msgp.AppendUint64(dst, f.N), f.Group[:])
	return msgp.AppendBool(dst, f.More)
}

func (f *PageEnd) readFields(d *decoder) {
	f.N = d.uint()
	f.Group = d.b16()
	f.More = d.bool()
}
