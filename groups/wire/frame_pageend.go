package wire

import "github.com/tinylib/msgp/msgp"

// PageEnd is frame 17 of the group protocol, hub to member, behind the pages
// that answer the Sync n: [17, n uint, more bool].
type PageEnd struct {
	N    uint64
	More bool
}

func (f *PageEnd) frameType() uint64 { return 17 }
func (f *PageEnd) count() int        { return 2 }

func (f *PageEnd) appendFields(dst []byte) []byte {
	return msgp.AppendBool(msgp.AppendUint64(dst, f.N), f.More)
}

func (f *PageEnd) readFields(d *decoder) {
	f.N = d.uint()
	f.More = d.bool()
}
