package wire

import "github.com/tinylib/msgp/msgp"

// WithdrawnFrame is frame 10 of the hub protocol, claimant to all, and to
// whoever attaches late: [10, hub record bin, linked [bin], evidence [[tag str,
// bin]], withdrawal bin]. The record is the one to go back to.
type WithdrawnFrame struct {
	HubRecordFrame
	Withdrawal []byte
}

func (f *WithdrawnFrame) frameType() uint64 { return 10 }
func (f *WithdrawnFrame) count() int        { return f.HubRecordFrame.count() + 1 }

func (f *WithdrawnFrame) appendFields(dst []byte) []byte {
	return msgp.AppendBytes(f.HubRecordFrame.appendFields(dst), f.Withdrawal)
}

func (f *WithdrawnFrame) readFields(d *decoder) {
	f.HubRecordFrame.readFields(d)
	f.Withdrawal = d.bin(MaxWithdrawal)
}
