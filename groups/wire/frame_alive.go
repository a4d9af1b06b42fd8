package wire

import "github.com/tinylib/msgp/msgp"

// Alive is frame 6 of the hub protocol: [6, n uint, group bin 16, opened bin 32,
// counter uint]. A shadow asks a member for a beat newer than counter in the
// term that the record opened; a member asks the primary itself. Who follows
// another term answers with its hub record.
type Alive struct {
	N      uint64
	Group  GroupID
	Opened HubHash
	Newest Counter
}

func (f *Alive) frameType() uint64 { return 6 }
func (f *Alive) count() int        { return 4 }

func (f *Alive) appendFields(dst []byte) []byte {
	dst = msgp.AppendUint64(dst, f.N)
	dst = msgp.AppendBytes(dst, f.Group[:])
	dst = msgp.AppendBytes(dst, f.Opened[:])
	return msgp.AppendUint64(dst, uint64(f.Newest))
}

func (f *Alive) readFields(d *decoder) {
	f.N = d.uint()
	f.Group = d.b16()
	f.Opened = d.b32()
	f.Newest = Counter(d.uint())
}

// AliveAnswer is frame 7 of the hub protocol: [7, n uint, beat bin?]. The beat
// is the primary's, nil if there is none that is newer. With n = 0 it is shown
// unasked: to a claimant whose primary lives.
type AliveAnswer struct {
	N    uint64
	Beat []byte
}

func (f *AliveAnswer) frameType() uint64 { return 7 }
func (f *AliveAnswer) count() int        { return 2 }

func (f *AliveAnswer) appendFields(dst []byte) []byte {
	return appendOptionalBin(msgp.AppendUint64(dst, f.N), f.Beat)
}

func (f *AliveAnswer) readFields(d *decoder) {
	f.N = d.uint()
	f.Beat = d.optionalBin(MaxBeatSize)
}
