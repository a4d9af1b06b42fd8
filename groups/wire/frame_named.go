package wire

import "github.com/tinylib/msgp/msgp"

// Named is frame 8 of the hub protocol: [8, draft bin]. A primary that stops, or
// an admin, names who is to be primary: the draft is a hub record of cause 5 or
// 6 that lacks the signature of the one named, who signs and announces it.
type Named struct{ Draft []byte }

func (f *Named) frameType() uint64              { return 8 }
func (f *Named) count() int                     { return 1 }
func (f *Named) appendFields(dst []byte) []byte { return msgp.AppendBytes(dst, f.Draft) }
func (f *Named) readFields(d *decoder)          { f.Draft = d.bin(MaxHubRecord) }
