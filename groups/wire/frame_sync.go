package wire

import "github.com/tinylib/msgp/msgp"

// Sync is frame 4 of the group protocol, member to hub: [4, n uint, group bin
// 16, from seq uint, log hash bin 32]. It asks for what follows from, of which
// the member holds the log with that hash. Pages answer it, then PageEnd.
type Sync struct {
	N     uint64
	Group GroupID
	From  Seq
	Log   LogHash
}

func (f *Sync) frameType() uint64 { return 4 }
func (f *Sync) count() int        { return 4 }

func (f *Sync) appendFields(dst []byte) []byte {
	dst = msgp.AppendUint64(dst, f.N)
	dst = msgp.AppendBytes(dst, f.Group[:])
	dst = msgp.AppendUint64(dst, uint64(f.From))
	return msgp.AppendBytes(dst, f.Log[:])
}

func (f *Sync) readFields(d *decoder) {
	f.N = d.uint()
	f.Group = d.b16()
	f.From = Seq(d.uint())
	f.Log = d.b32()
}
