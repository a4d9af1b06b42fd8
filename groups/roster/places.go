package roster

import (
	"maps"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// places are where members stand in their list: who is one is asked for every frame,
// and there may be a thousand.
//
// Clones share them. What the one they are borrowed from notes later is of members
// that stand behind the end of the borrower's list, or elsewhere in it.
type places struct {
	of       map[protocols.Key]int
	borrowed bool
}

// count makes them anew.
func (p *places) count(list []wire.Member) {
	*p = places{of: make(map[protocols.Key]int, len(list))}
	for i := range list {
		p.of[list[i].Node] = i
	}
}

// lend returns the same for a clone.
func (p *places) lend() places { return places{of: p.of, borrowed: true} }

// note takes a member that comes to stand at a place.
func (p *places) note(k protocols.Key, at int) {
	if p.borrowed {
		*p = places{of: maps.Clone(p.of)}
	}
	p.of[k] = at
}

// find returns a member's place in the list, -1 for one who does not stand in it.
func (p *places) find(list []wire.Member, k protocols.Key) int {
	if i, ok := p.of[k]; ok && i < len(list) && list[i].Node == k {
		return i
	}
	return -1
}
