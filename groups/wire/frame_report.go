package wire

import "github.com/tinylib/msgp/msgp"

// ReportFrame is frame 5 of the hub protocol, to all members: [5, report bin].
type ReportFrame struct{ Report []byte }

func (f *ReportFrame) frameType() uint64              { return 5 }
func (f *ReportFrame) count() int                     { return 1 }
func (f *ReportFrame) appendFields(dst []byte) []byte { return msgp.AppendBytes(dst, f.Report) }
func (f *ReportFrame) readFields(d *decoder)          { f.Report = d.bin(MaxReport) }
