package wire

import "github.com/tinylib/msgp/msgp"

// WithdrawnFrame is frame 10 of the hub protocol, claimant to all, and to
// whoever attaches late: [10, withdrawal bin, hub record bin]. The record is the
// one to go back to.
type WithdrawnFrame struct {
	Withdrawal []byte
	Back       []byte
}

func (f *WithdrawnFrame) frameType() uint64 { return 10 }
func (f *WithdrawnFrame) count() int        { return 2 }

func (f *WithdrawnFrame) appendFields(dst []byte) []byte {
	return msgp.AppendBytes(msgp.AppendBytes(dst, f.Withdrawal), f.Back)
}

func (f *WithdrawnFrame) readFields(d *decoder) {
	f.Withdrawal = d.bin(MaxWithdrawal)
	f.Back = d.bin(MaxHubRecord)
}
