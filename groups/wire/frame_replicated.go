package wire

import "github.com/tinylib/msgp/msgp"

// Replicated is frame 3 of the hub protocol, whoever follows the log to primary:
// [3, group bin 16, number uint, seq uint, log hash bin 32, receipt bin?]. It holds
// the log up to there, durably. The receipt is the member's, if one is due, which
// else has a frame of its own.
type Replicated struct {
	Group   GroupID
	Number  Number
	Seq     Seq
	Log     LogHash
	Receipt []byte
}

func (f *Replicated) frameType() uint64 { return 3 }
func (f *Replicated) count() int        { return 5 }

func (f *Replicated) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, f.Group[:])
	dst = msgp.AppendUint64(dst, uint64(f.Number))
	dst = msgp.AppendUint64(dst, uint64(f.Seq))
	return appendOptionalBin(msgp.AppendBytes(dst, f.Log[:]), f.Receipt)
}

func (f *Replicated) readFields(d *decoder) {
	f.Group = d.b16()
	f.Number = Number(d.uint())
	f.Seq = Seq(d.uint())
	f.Log = d.b32()
	f.Receipt = d.optionalBin(MaxReceipt)
}
