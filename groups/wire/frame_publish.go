package wire

import "github.com/tinylib/msgp/msgp"

// MaxPublish is how many records one Publish may carry.
const MaxPublish = 1024

// Publish is frame 2 of the group protocol, member to hub: [2, group bin 16,
// records [bin, or a part of a batch]]. A record is one, or an entry whose old place
// says where it stood in a branch that lost.
type Publish struct {
	Group   GroupID
	Records [][]byte
	read    []*Entry // those of them that came in parts
}

// Entry reads the ith of the records, which has an old place if it is an entry.
func (f *Publish) Entry(i int) (*Entry, error) {
	if e := entryOf(f.read, i, f.Records[i]); e != nil {
		return e, nil
	}
	if e, err := ParseEntry(f.Records[i]); err == nil && e.Old != nil {
		return e, nil
	}
	r, err := ParseRecord(f.Records[i])
	if err != nil {
		return nil, err
	}
	return &Entry{Record: r}, nil
}

func (f *Publish) frameType() uint64 { return 2 }
func (f *Publish) count() int        { return 2 }

func (f *Publish) appendFields(dst []byte) []byte {
	return appendParts(msgp.AppendBytes(dst, f.Group[:]), f.Group, f.Records, glanceAll(f.Records, false))
}

func (f *Publish) readFields(d *decoder) {
	f.Group = d.b16()
	f.Records, f.read = d.readParts(f.Group, MaxPublish, false)
}
