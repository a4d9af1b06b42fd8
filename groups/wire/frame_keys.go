package wire

import "github.com/tinylib/msgp/msgp"

// Bounds of Keys: how many boxes one frame may carry, and how long each may be.
const (
	MaxBoxes = 32
	MaxBox   = 4096
)

// Keys is frame 5 of the group protocol, member to hub, and frame 18, hub to
// member, which passes on those of others: [5 or 18, group bin 16, [bin]]. Each is
// an envelope that carries its author's sender key to one member.
type Keys struct {
	kind  uint64
	Group GroupID
	Boxes [][]byte
}

// OwnKeys returns the frame in which a member gives its key to others.
func OwnKeys(g GroupID, boxes ...[]byte) *Keys { return &Keys{kind: 5, Group: g, Boxes: boxes} }

// PassedKeys returns the frame in which a hub passes keys on.
func PassedKeys(g GroupID, boxes ...[]byte) *Keys { return &Keys{kind: 18, Group: g, Boxes: boxes} }

// Passed says that a hub passes them on.
func (f *Keys) Passed() bool { return f.kind == 18 }

func (f *Keys) frameType() uint64 { return f.kind }
func (f *Keys) count() int        { return 2 }

func (f *Keys) appendFields(dst []byte) []byte {
	return appendBins(msgp.AppendBytes(dst, f.Group[:]), f.Boxes)
}

func (f *Keys) readFields(d *decoder) {
	f.Group = d.b16()
	f.Boxes = d.bins(MaxBoxes, MaxBox)
}
