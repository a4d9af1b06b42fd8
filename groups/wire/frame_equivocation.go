package wire

import (
	"crypto/sha256"
	"slices"

	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
)

// Equivocation is frame 9 of the hub protocol, to all: [9, [tag str, bin, bin],
// between bin?]. Two heads, or two hub records, that one hub must not have signed
// both.
//
// Two heads of one term need not be of one seq: if A is later, between is the hash of
// A's log at B's seq, 32 bytes, which is not B's, and behind it the SHA-256 of each
// entry that leads from there to A.
type Equivocation struct {
	Tag     protocols.Tag
	A, B    []byte
	Between []byte // nil: they are of one seq
}

func (f *Equivocation) frameType() uint64 { return 9 }
func (f *Equivocation) count() int        { return 2 }

func (f *Equivocation) appendFields(dst []byte) []byte {
	dst = msgp.AppendArrayHeader(dst, 3)
	dst = msgp.AppendString(dst, string(f.Tag))
	dst = msgp.AppendBytes(dst, f.A)
	dst = msgp.AppendBytes(dst, f.B)
	return appendOptionalBin(dst, f.Between)
}

func (f *Equivocation) readFields(d *decoder) {
	d.array(3)
	f.Tag = protocols.Tag(d.text(32))
	f.A = d.bin(MaxHubRecord)
	f.B = d.bin(MaxHubRecord)
	f.Between = d.optionalBin(maxBetween)
}

const maxBetween = (1 + MaxEntries) * sha256.Size

// Proves returns whose equivocation the frame proves, in which group.
func (f *Equivocation) Proves(v Verifier) (g GroupID, who protocols.Key, ok bool) {
	switch f.Tag {
	case protocols.TagGroupHead:
		a, errA := ParseHead(v, f.A)
		b, errB := ParseHead(v, f.B)
		if errA == nil && errB == nil && (a.Equivocates(b) || f.parted(a, b)) {
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

// parted says whether a head is of a log that does not lead to a later one.
func (f *Equivocation) parted(a, b *Head) bool {
	n := len(f.Between) / sha256.Size
	if a.Group != b.Group || a.Term != b.Term || a.Primary != b.Primary || n < 2 || len(f.Between)%sha256.Size != 0 {
		return false
	}
	at, hash := b.Seq, LogHash(f.Between[:sha256.Size])
	if a.Seq <= at || a.Seq-at != Seq(n-1) || hash == b.Log {
		return false
	}
	for sum := range slices.Chunk(f.Between[sha256.Size:], sha256.Size) {
		at++
		hash = hash.NextSum(Place{Number: a.Term.Number, Primary: a.Primary, Seq: at}, [sha256.Size]byte(sum))
	}
	return hash == a.Log
}
