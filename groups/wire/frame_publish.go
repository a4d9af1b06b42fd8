package wire

import "github.com/tinylib/msgp/msgp"

// MaxPublish is how many records one Publish may carry.
const MaxPublish = 1024

// Publish is frame 2 of the group protocol, member to hub: [2, group bin 16,
// records [bin]]. A record is one, or an entry whose old place says where it
// stood in a branch that lost.
type Publish struct {
	Group   GroupID
	Records [][]byte
}

func (f *Publish) frameType() uint64 { return 2 }
func (f *Publish) count() int        { return 2 }

func (f *Publish) appendFields(dst []byte) []byte {
	return appendBins(msgp.AppendBytes(dst, f.Group[:]), f.Records)
}

func (f *Publish) readFields(d *decoder) {
	f.Group = d.b16()
	f.Records = d.bins(MaxPublish, MaxEntry)
}
