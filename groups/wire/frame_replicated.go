package wire

import "github.com/tinylib/msgp/msgp"

// Replicated is frame 3 of the hub protocol, shadow to primary: [3, group bin
// 16, number uint, seq uint, log hash bin 32]. It holds the log up to there,
// durably.
type Replicated struct {
	Group  GroupID
	Number Number
	Seq    Seq
	Log    LogHash
}

func (f *Replicated) frameType() uint64 { return 3 }
func (f *Replicated) count() int        { return 4 }

func (f *Replicated) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, f.Group[:])
	dst = msgp.AppendUint64(dst, uint64(f.Number))
	dst = msgp.AppendUint64(dst, uint64(f.Seq))
	return msgp.AppendBytes(dst, f.Log[:])
}

func (f *Replicated) readFields(d *decoder) {
	f.Group = d.b16()
	f.Number = Number(d.uint())
	f.Seq = Seq(d.uint())
	f.Log = d.b32()
}
