package wire

import "github.com/tinylib/msgp/msgp"

// Replace is frame 12 of the hub protocol, shadow or candidate to primary: [12,
// beat bin]. Others hear the primary where the sender does not: another is to
// stand in its place. The beat is the sender's own, for the newest counter that
// reached it.
type Replace struct{ Beat []byte }

func (f *Replace) frameType() uint64              { return 12 }
func (f *Replace) count() int                     { return 1 }
func (f *Replace) appendFields(dst []byte) []byte { return msgp.AppendBytes(dst, f.Beat) }
func (f *Replace) readFields(d *decoder)          { f.Beat = d.bin(MaxBeatSize) }
