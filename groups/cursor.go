package groups

import (
	"slices"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
)

// Cursor is how far somebody has read a log: a seq, and above it how often the
// log of this node had been cut by then, plus one. When two sides of a group meet,
// the log of one is cut and its records come back behind those of the other: who
// reads on from a cursor of before gets what it has not seen, and not again what
// has moved. A Cursor without such a count is a plain place.
type Cursor uint64

const seqBits = 40

// Seq is the place without the count.
func (c Cursor) Seq() wire.Seq { return wire.Seq(c & (1<<seqBits - 1)) }

// maxCuts is how many cuts are remembered.
const maxCuts = 64

// cuts are those of a log, the newest last.
type cuts struct {
	Before uint64 // that are not remembered any more
	List   []member.Cut
}

func (c *cuts) count() uint64 { return c.Before + uint64(len(c.List)) }

func (c *cuts) add(x member.Cut) {
	if c.List = append(c.List, x); len(c.List) > maxCuts {
		c.List = slices.Delete(c.List, 0, 1)
		c.Before++
	}
}

// cursor is that of who has read up to a seq now.
func (c *cuts) cursor(s wire.Seq) Cursor { return Cursor((c.count()+1)<<seqBits | uint64(s)) }

// seen is what stood in the log up to a place, and was cut off.
type seen struct {
	cut member.Cut
	to  wire.Seq
}

// since says behind which place to read on from a cursor, and what of that was
// seen before it moved.
func (c *cuts) since(from Cursor) (s wire.Seq, before []seen) {
	s = from.Seq()
	count := uint64(from >> seqBits)
	if count == 0 {
		return s, nil
	}
	skip := min(max(count-1, c.Before)-c.Before, uint64(len(c.List)))
	for _, x := range c.List[skip:] {
		if x.From < s {
			before = append(before, seen{x, s})
			s = x.From
		}
	}
	return s, before
}

// had says whether an entry was seen where it stood first.
func had(before []seen, e entry) bool {
	return e.Old != nil && slices.ContainsFunc(before, func(x seen) bool {
		return e.Old.Seq > x.cut.From && e.Old.Seq <= x.to && slices.ContainsFunc(x.cut.Terms, func(p wire.Place) bool {
			return p.Number == e.Old.Number && p.Primary == e.Old.Primary
		})
	})
}
