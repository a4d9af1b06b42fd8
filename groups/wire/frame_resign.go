package wire

import "github.com/tinylib/msgp/msgp"

// Resign is frame 8 of the hub protocol, primary to shadow: [8, hub record
// bin]. The sender stops and knows of nothing behind the record's seq: the
// record is the one it leads, and the shadow is asked to hand it back one of
// cause 5 that continues it.
type Resign struct{ Record []byte }

func (f *Resign) frameType() uint64              { return 8 }
func (f *Resign) count() int                     { return 1 }
func (f *Resign) appendFields(dst []byte) []byte { return msgp.AppendBytes(dst, f.Record) }
func (f *Resign) readFields(d *decoder)          { f.Record = d.bin(MaxHubRecord) }
