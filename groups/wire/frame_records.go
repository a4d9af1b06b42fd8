package wire

import (
	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// MaxEntries is how many entries one frame may carry.
const MaxEntries = 1024

// Records is frame 10 of the group protocol, hub to member, and frame 2 of the
// hub protocol, primary to shadow: [10 or 2, group bin 16, places [[entries
// uint, number uint, primary bin 32]], first seq uint, log hash before bin 32,
// entries [bin, or a part of a batch], head bin]. A page may span terms: each of
// places says for how many entries it holds.
type Records struct {
	kind    uint64
	Group   GroupID
	Runs    []Run // whose entries they are; the counts add up to all
	First   Seq   // of the first entry
	Before  LogHash
	Entries [][]byte
	Head    []byte
	read    []*Entry  // those of them that came in parts
	known   []*Record // of all of them, if all were put; nil: of one that stood elsewhere
	encoded []byte    // of Encode
	twin    *Records  // is the same but for the type
}

// Put adds an entry that was read before, and need not be read again to be encoded.
func (f *Records) Put(raw []byte, r *Record, old *Old) {
	if old != nil {
		r = nil
	}
	f.Entries, f.known = append(f.Entries, raw), append(f.known, r)
}

// Entry reads the ith entry, as ParseEntry does.
func (f *Records) Entry(i int) (*Entry, error) {
	if e := entryOf(f.read, i, f.Entries[i]); e != nil {
		return e, nil
	}
	return ParseEntry(f.Entries[i])
}

// FanOut makes the frame one to a member.
func (f Records) FanOut() *Records { f.kind, f.encoded, f.twin = 10, nil, nil; return &f }

// Replicate makes the frame one to the shadow.
func (f Records) Replicate() *Records { f.kind, f.encoded, f.twin = 2, nil, nil; return &f }

// Both makes a frame of either kind, of which one is encoded as the other was.
func (f Records) Both() (fanOut, replicate *Records) {
	fanOut, replicate = f.FanOut(), f.Replicate()
	fanOut.twin, replicate.twin = replicate, fanOut
	return fanOut, replicate
}

// encode encodes the frame, or takes over what it has in common with its twin.
func (f *Records) encode() []byte {
	if f.twin == nil || f.twin.encoded == nil {
		return AppendFrame(nil, f)
	}
	same := f.twin.encoded[len(appendHead(nil, f.twin)):]
	return append(appendHead(make([]byte, 0, len(f.twin.encoded)), f), same...)
}

func (f *Records) frameType() uint64 { return f.kind }
func (f *Records) count() int        { return 6 }

func (f *Records) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, f.Group[:])
	dst = msgp.AppendArrayHeader(dst, uint32(len(f.Runs)))
	for i := range f.Runs {
		dst = appendArray(dst, &f.Runs[i])
	}
	dst = msgp.AppendUint64(dst, uint64(f.First))
	dst = msgp.AppendBytes(dst, f.Before[:])
	dst = appendParts(dst, f.Group, f.Entries, f.records())
	return msgp.AppendBytes(dst, f.Head)
}

// records returns those of the entries that may go in parts.
func (f *Records) records() []*Record {
	if len(f.known) == len(f.Entries) {
		return f.known
	}
	return glanceAll(f.Entries, true)
}

func (f *Records) readFields(d *decoder) {
	f.Group = d.b16()
	f.Runs = make([]Run, d.size(MaxEntries))
	total := uint64(0)
	for i := range f.Runs {
		d.array(f.Runs[i].count())
		f.Runs[i].readFields(d)
		total += uint64(f.Runs[i].Entries)
	}
	f.First = Seq(d.uint())
	f.Before = d.b32()
	f.Entries, f.read = d.readParts(f.Group, MaxEntries, true)
	f.Head = d.bin(MaxHead)
	if d.err == nil && total != uint64(len(f.Entries)) {
		d.fail("places for another number of entries")
	}
}

// Run says for a number of entries that follow one another in which term, and
// by which primary, they were sequenced.
type Run struct {
	Entries uint32
	Number  Number
	Primary protocols.Key
}

func (r *Run) count() int { return 3 }

func (r *Run) appendFields(dst []byte) []byte {
	dst = msgp.AppendUint32(dst, r.Entries)
	dst = msgp.AppendUint64(dst, uint64(r.Number))
	return msgp.AppendBytes(dst, r.Primary[:])
}

func (r *Run) readFields(d *decoder) {
	r.Entries = uint32(d.uintUpTo(MaxEntries))
	r.Number = Number(d.uint())
	r.Primary = d.key()
}
