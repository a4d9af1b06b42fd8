package groups_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// Who follows the log on either side of a partition gets every message once, also
// what moves when the sides meet, and over a restart.
func TestWhoFollowsALogGetsEachRecordOnceOverAMerge(t *testing.T) {
	t.Parallel()
	inTown(t, 6, func(c *crowd) {
		var cursor [6]groups.Cursor
		var got [6]map[string]int
		read := func() {
			for i, n := range c.nodes {
				lines, err := n.Log(c.t.Context(), c.group, cursor[i], 1000, 0)
				c.must(err)
				for _, l := range lines {
					cursor[i] = l.Cursor
					if l.Kind == wire.KindMessage {
						got[i][string(l.Body)]++
					}
				}
			}
		}
		for i := range got {
			got[i] = make(map[string]int)
		}
		side := make(map[protocols.Key]bool)
		for i, n := range c.nodes {
			side[n.Key] = i >= 3
		}
		for i, n := range c.nodes {
			c.write(n, fmt.Sprint("before ", i), 5)
		}
		virtual.Pass(5 * time.Second)
		read()
		c.town.Cut(func(a, b protocols.Key) bool { return side[a] != side[b] })
		virtual.Pass(20 * time.Second)
		for i, n := range c.nodes {
			c.write(n, fmt.Sprint("apart ", i), 2)
		}
		read()
		for i, n := range c.nodes {
			c.write(n, fmt.Sprint("still apart ", i), 2)
		}
		c.town.Cut(func(a, b protocols.Key) bool { return false })
		virtual.Pass(30 * time.Second)
		c.nodes[4].Stop()
		c.must(c.nodes[4].Start())
		c.write(c.nodes[0], "after", 5)
		virtual.Pass(5 * time.Second)
		read()
		for i := range got {
			if len(got[i]) != 19 {
				c.t.Errorf("%s got %d messages: %v", c.nodes[i].Name, len(got[i]), got[i])
			}
			for text, n := range got[i] {
				if n != 1 {
					c.t.Errorf("%s got %q %d times", c.nodes[i].Name, text, n)
				}
			}
		}
	})
}
