package wire

import "github.com/tinylib/msgp/msgp"

// maxHubRecords is how many hub records travel with a snapshot.
const maxHubRecords = 256

// SnapshotFrame is frame 15 of the group protocol, hub to member, for one whose
// place in the log is purged: [15, n uint, group bin 16, charter bin, hub
// records [bin], entry bin, [number uint, primary bin 32, seq uint, log hash
// before bin 32], head bin]. The entry is the newest snapshot record's.
type SnapshotFrame struct {
	N       uint64
	Group   GroupID
	Charter []byte
	Hubs    [][]byte
	Entry   []byte
	Place   Place
	Before  LogHash
	Head    []byte
}

func (f *SnapshotFrame) frameType() uint64 { return 15 }
func (f *SnapshotFrame) count() int        { return 7 }

func (f *SnapshotFrame) appendFields(dst []byte) []byte {
	dst = msgp.AppendUint64(dst, f.N)
	dst = msgp.AppendBytes(dst, f.Group[:])
	dst = msgp.AppendBytes(dst, f.Charter)
	dst = appendBins(dst, f.Hubs)
	dst = msgp.AppendBytes(dst, f.Entry)
	dst = msgp.AppendArrayHeader(dst, 4)
	dst = f.Place.appendFields(dst)
	dst = msgp.AppendBytes(dst, f.Before[:])
	return msgp.AppendBytes(dst, f.Head)
}

func (f *SnapshotFrame) readFields(d *decoder) {
	f.N = d.uint()
	f.Group = d.b16()
	f.Charter = d.bin(MaxCharter)
	f.Hubs = d.bins(maxHubRecords, MaxHubRecord)
	f.Entry = d.bin(MaxEntry)
	d.array(4)
	f.Place.readFields(d)
	f.Before = d.b32()
	f.Head = d.bin(MaxHead)
}
