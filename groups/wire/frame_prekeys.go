package wire

import (
	"github.com/tinylib/msgp/msgp"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

// MaxPrekeys is of how many members one frame may ask for the prekeys, or tell them.
const MaxPrekeys = 128

// WantPrekeys is frame 6 of the group protocol, member to hub: [6, group bin 16,
// [member bin 32]]. It asks for the prekey records of members.
type WantPrekeys struct {
	Group GroupID
	Of    []protocols.Key
}

func (f *WantPrekeys) frameType() uint64 { return 6 }
func (f *WantPrekeys) count() int        { return 2 }

func (f *WantPrekeys) appendFields(dst []byte) []byte {
	return appendKeys(msgp.AppendBytes(dst, f.Group[:]), f.Of)
}

func (f *WantPrekeys) readFields(d *decoder) {
	f.Group = d.b16()
	f.Of = d.keys(MaxPrekeys)
}

// Prekeys is frame 19 of the group protocol, hub to member: [19, group bin 16,
// [[member bin 32, record bin or nil]]]. Nil says that the hub passes nothing on to
// that member now: it is away, or its prekeys are not known there.
type Prekeys struct {
	Group GroupID
	Of    []PrekeysOf
}

// PrekeysOf is the prekey record of a member, nil for one that is away.
type PrekeysOf struct {
	Member protocols.Key
	Record []byte
}

func (f *Prekeys) frameType() uint64 { return 19 }
func (f *Prekeys) count() int        { return 2 }

func (f *Prekeys) appendFields(dst []byte) []byte {
	dst = msgp.AppendBytes(dst, f.Group[:])
	dst = msgp.AppendArrayHeader(dst, uint32(len(f.Of)))
	for i := range f.Of {
		dst = msgp.AppendArrayHeader(dst, 2)
		dst = msgp.AppendBytes(dst, f.Of[i].Member[:])
		dst = appendOptionalBin(dst, f.Of[i].Record)
	}
	return dst
}

func (f *Prekeys) readFields(d *decoder) {
	f.Group = d.b16()
	f.Of = make([]PrekeysOf, d.size(MaxPrekeys))
	for i := range f.Of {
		d.array(2)
		f.Of[i] = PrekeysOf{Member: d.key(), Record: d.optionalBin(prekeys.MaxSize)}
	}
}
