package groups

import (
	"testing"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
)

func TestACursorOutlivesCuts(t *testing.T) {
	t.Parallel()
	var c cuts
	early := c.cursor(20)
	if s, before := c.since(early); s != 20 || before != nil {
		t.Errorf("nothing was cut: %d, %v", s, before)
	}
	c.add(member.Cut{From: 12, Terms: []wire.Place{{Number: 2}}})
	late := c.cursor(30)
	s, before := c.since(early)
	moved := func(n wire.Number, at wire.Seq) entry {
		return entry{Old: &wire.Old{Place: wire.Place{Number: n, Seq: at}}}
	}
	if s != 12 || !had(before, moved(2, 13)) || !had(before, moved(2, 20)) || had(before, moved(2, 21)) || had(before, moved(3, 15)) || had(before, entry{}) {
		t.Errorf("after a cut: %d, %v", s, before)
	}
	if s, before := c.since(late); s != 30 || before != nil {
		t.Errorf("a cursor of after the cut: %d, %v", s, before)
	}
	if s, before := c.since(20); s != 20 || before != nil || late.Seq() != 30 {
		t.Errorf("a plain place: %d, %v", s, before)
	}
	c.add(member.Cut{From: 25, Terms: []wire.Place{{Number: 4}}})
	if s, before := c.since(early); s != 12 || len(before) != 1 {
		t.Errorf("a second cut, further on: %d, %v", s, before)
	}
	if s, before := c.since(late); s != 25 || !had(before, moved(4, 28)) {
		t.Errorf("for who had read further: %d, %v", s, before)
	}
	for range 2 * maxCuts {
		c.add(member.Cut{From: 40})
	}
	if s, _ := c.since(c.cursor(50)); s != 50 || len(c.List) != maxCuts {
		t.Errorf("after many: %d, %d remembered", s, len(c.List))
	}
	if s, _ := c.since(1<<seqBits | 60); s != 40 {
		t.Errorf("an old one: %d", s)
	}
}
