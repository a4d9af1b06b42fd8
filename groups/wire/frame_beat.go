package wire

import "github.com/tinylib/msgp/msgp"

// BeatFrame is frame 1 of the hub protocol: [1, beat bin]. Primary to members,
// and a member's answer.
type BeatFrame struct{ Beat []byte }

func (f *BeatFrame) frameType() uint64              { return 1 }
func (f *BeatFrame) count() int                     { return 1 }
func (f *BeatFrame) appendFields(dst []byte) []byte { return msgp.AppendBytes(dst, f.Beat) }
func (f *BeatFrame) readFields(d *decoder)          { f.Beat = d.bin(MaxBeatSize) }
