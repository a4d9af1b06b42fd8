package wire

import "github.com/tinylib/msgp/msgp"

// MaxReceipts is how many receipts one frame may carry.
const MaxReceipts = 1024

// Receipts is frame 3 of the group protocol, member to hub, and frame 14, hub
// to member, which passes on those of others: [3 or 14, group bin 16, [bin]].
type Receipts struct {
	kind     uint64
	Group    GroupID
	Receipts [][]byte
}

// OwnReceipts returns the frame in which a member acknowledges.
func OwnReceipts(g GroupID, receipts ...[]byte) *Receipts {
	return &Receipts{kind: 3, Group: g, Receipts: receipts}
}

// PassedReceipts returns the frame in which a hub passes receipts on.
func PassedReceipts(g GroupID, receipts ...[]byte) *Receipts {
	return &Receipts{kind: 14, Group: g, Receipts: receipts}
}

// Passed says that a hub passes them on.
func (f *Receipts) Passed() bool { return f.kind == 14 }

func (f *Receipts) frameType() uint64 { return f.kind }
func (f *Receipts) count() int        { return 2 }

func (f *Receipts) appendFields(dst []byte) []byte {
	return appendBins(msgp.AppendBytes(dst, f.Group[:]), f.Receipts)
}

func (f *Receipts) readFields(d *decoder) {
	f.Group = d.b16()
	f.Receipts = d.bins(MaxReceipts, MaxReceipt)
}
