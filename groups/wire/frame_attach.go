package wire

import "github.com/tinylib/msgp/msgp"

// AttachFrame is frame 1 of the group protocol, member to hub: [1, attach bin].
type AttachFrame struct{ Attach []byte }

func (f *AttachFrame) frameType() uint64              { return 1 }
func (f *AttachFrame) count() int                     { return 1 }
func (f *AttachFrame) appendFields(dst []byte) []byte { return msgp.AppendBytes(dst, f.Attach) }
func (f *AttachFrame) readFields(d *decoder)          { f.Attach = d.bin(MaxAttach) }
