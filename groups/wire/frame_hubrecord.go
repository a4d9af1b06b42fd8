package wire

import (
	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// MaxEvidence is how many structures one frame may show.
const MaxEvidence = 1024

// MaxShown is how long a structure that is shown as evidence may be.
const MaxShown = 16 << 10

// MaxLinked is how many records come with a hub record: the one that opened its
// term, unless it is the same, and the one or two that this one links to.
const MaxLinked = 3

// HubRecordFrame is frame 4 of the hub protocol: [4, hub record bin, linked
// [bin], evidence [[tag str, bin]]]. A claim, a change, a merge, or which record
// the sender follows, with the records it is to be judged by and what speaks for
// it: reports for an election, attaches for a merge, and records of the log by which
// those whom it is about are in the group.
type HubRecordFrame struct {
	Record   []byte
	Linked   [][]byte // at most MaxLinked
	Evidence []Evidence
}

// Evidence is a signed structure with its tag.
type Evidence struct {
	Tag       protocols.Tag
	Structure []byte
}

func (f *HubRecordFrame) frameType() uint64 { return 4 }
func (f *HubRecordFrame) count() int        { return 3 }

func (f *HubRecordFrame) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, f.Record)
	dst = appendBins(dst, f.Linked)
	dst = msgp.AppendArrayHeader(dst, uint32(len(f.Evidence)))
	for i := range f.Evidence {
		dst = appendArray(dst, &f.Evidence[i])
	}
	return dst
}

func (f *HubRecordFrame) readFields(d *decoder) {
	f.Record = d.bin(MaxHubRecord)
	f.Linked = d.bins(MaxLinked, MaxHubRecord)
	f.Evidence = make([]Evidence, d.size(MaxEvidence))
	for i := range f.Evidence {
		d.array(2)
		f.Evidence[i].readFields(d)
	}
}

func (e *Evidence) count() int { return 2 }

func (e *Evidence) appendFields(dst []byte) []byte {
	return msgp.AppendBytes(msgp.AppendString(dst, string(e.Tag)), e.Structure)
}

func (e *Evidence) readFields(d *decoder) {
	e.Tag = protocols.Tag(d.text(32))
	e.Structure = d.bin(MaxShown)
}
