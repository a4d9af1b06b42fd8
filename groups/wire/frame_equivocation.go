package wire

import (
	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Equivocation is frame 9 of the hub protocol, to all: [9, [tag str, bin,
// bin]]. Two heads, or two hub records, that one hub must not have signed both.
type Equivocation struct {
	Tag  protocols.Tag
	A, B []byte
}

func (f *Equivocation) frameType() uint64 { return 9 }
func (f *Equivocation) count() int        { return 1 }

func (f *Equivocation) appendFields(dst []byte) []byte {
	dst = msgp.AppendArrayHeader(dst, 3)
	dst = msgp.AppendString(dst, string(f.Tag))
	dst = msgp.AppendBytes(dst, f.A)
	return msgp.AppendBytes(dst, f.B)
}

func (f *Equivocation) readFields(d *decoder) {
	d.array(3)
	f.Tag = protocols.Tag(d.text(32))
	f.A = d.bin(MaxHubRecord)
	f.B = d.bin(MaxHubRecord)
}

// Proves returns whose equivocation the frame proves, in which group.
func (f *Equivocation) Proves(v Verifier) (g GroupID, who protocols.Key, ok bool) {
	switch f.Tag {
	case protocols.TagGroupHead:
		a, errA := ParseHead(v, f.A)
		b, errB := ParseHead(v, f.B)
		if errA == nil && errB == nil && a.Equivocates(b) {
			return a.Group, a.Primary, true
		}
	case protocols.TagGroupHub:
		a, errA := ParseHubRecord(v, f.A)
		b, errB := ParseHubRecord(v, f.B)
		if errA == nil && errB == nil && a.Equivocates(b) {
			return a.Group, a.Primary, true
		}
	}
	return GroupID{}, protocols.Key{}, false
}
