package senderkey

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// ErrKept is returned for bytes that are not what a ring was kept as.
var ErrKept = errors.New("chains that were not kept so")

// A ring is kept as how many owners it has, and these, one behind the other; numbers are
// uvarints, and so many milliseconds since the epoch are a time:
//
//	owner     key 32, how many chains, chains
//	chain     id 16, roster version, roster hash 32, index, secret 32, elsewhere 1, how many skipped, skipped
//	skipped   index, key 32, since
//
// It is written often, and of each key there must be no copy that nobody clears: so it is
// appended to what has room for it.
const (
	ownerSize   = 32 + 1
	chainSize   = 16 + 32 + 32 + 1 + 3*binary.MaxVarintLen64
	skippedSize = 32 + 2*binary.MaxVarintLen64
)

// KeptSize is as long as what Append appends may be.
func (g *Ring) KeptSize() int {
	n := binary.MaxVarintLen64
	for _, o := range g.owners {
		n += ownerSize
		for _, c := range o.chains {
			n += chainSize + len(c.Skipped)*skippedSize
		}
	}
	return n
}

// Append appends all chains as they are to be kept.
func (g *Ring) Append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(g.owners)))
	for k, o := range g.owners {
		dst = binary.AppendUvarint(append(dst, k[:]...), uint64(len(o.chains)))
		for _, c := range o.chains {
			dst = c.append(dst)
		}
	}
	return dst
}

func (c *Receiving) append(dst []byte) []byte {
	dst = binary.AppendUvarint(append(dst, c.Chain[:]...), uint64(c.Roster.Version))
	dst = binary.AppendUvarint(append(dst, c.Roster.Hash[:]...), uint64(c.Index))
	dst = append(dst, c.Secret[:]...)
	if c.Elsewhere {
		dst = append(dst, 1)
	} else {
		dst = append(dst, 0)
	}
	dst = binary.AppendUvarint(dst, uint64(len(c.Skipped)))
	for _, s := range c.Skipped {
		dst = append(binary.AppendUvarint(dst, uint64(s.Index)), s.Key[:]...)
		dst = binary.AppendUvarint(dst, uint64(s.Since.UnixMilli()))
	}
	return dst
}

// Load puts back the chains that were kept, into a ring that has none.
func (g *Ring) Load(b []byte) error {
	u := unpacker{left: b}
	for owners := u.uint(); owners > 0 && !u.short; owners-- {
		var owner protocols.Key
		u.bytes(owner[:])
		for n := u.uint(); n > 0 && !u.short; n-- {
			if c := u.chain(); !u.short {
				g.Restore(owner, c)
			}
		}
	}
	if u.short || len(u.left) > 0 {
		return ErrKept
	}
	return nil
}

// unpacker reads what was kept. Behind its end all is zero.
type unpacker struct {
	left  []byte
	short bool
}

func (u *unpacker) bytes(dst []byte) {
	if u.short = u.short || len(u.left) < len(dst); !u.short {
		u.left = u.left[copy(dst, u.left):]
	}
}

func (u *unpacker) uint() uint64 {
	v, n := binary.Uvarint(u.left)
	if u.short = u.short || n <= 0; u.short {
		return 0
	}
	u.left = u.left[n:]
	return v
}

func (u *unpacker) chain() (c Receiving) {
	u.bytes(c.Chain[:])
	c.Roster.Version = wire.RosterVersion(u.uint())
	u.bytes(c.Roster.Hash[:])
	c.Index = wire.Index(u.uint())
	u.bytes(c.Secret[:])
	var elsewhere [1]byte
	u.bytes(elsewhere[:])
	c.Elsewhere = elsewhere[0] != 0
	for n := u.uint(); n > 0 && !u.short; n-- {
		s := Skipped{Index: wire.Index(u.uint())}
		u.bytes(s.Key[:])
		s.Since = time.UnixMilli(int64(u.uint()))
		c.Skipped = append(c.Skipped, s)
	}
	return c
}
