package groups_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// Whoever asks sees how far all have the log, also those who have written nothing.
func TestShowTellsWhoHasWhat(t *testing.T) {
	t.Parallel()
	inTown(t, 5, func(c *crowd) {
		for i := range 5 {
			c.write(c.nodes[1], fmt.Sprint("message ", i), 4)
		}
		virtual.Pass(time.Second)
		for _, n := range c.nodes {
			i, err := n.Show(c.t.Context(), c.group)
			c.must(err)
			for _, m := range i.Members {
				if m.Acked != i.Seq {
					c.t.Errorf("%s sees %s at %d of %d", n.Name, m.Name, m.Acked, i.Seq)
				}
			}
		}
	})
}

// Receipts that are lost, on either half of their way, are said again and asked
// for: the author learns that all have its record while nobody writes.
func TestLostReceiptsAreMadeUpFor(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]func(c *crowd, from, to protocols.Key) bool{
		"to the hub":     func(c *crowd, from, to protocols.Key) bool { return from == c.nodes[2].Key && to == c.nodes[0].Key },
		"to the authors": func(c *crowd, from, to protocols.Key) bool { return from == c.nodes[0].Key && to == c.nodes[1].Key },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inTown(t, 4, func(c *crowd) {
				c.write(c.nodes[1], "before", 3)
				c.town.Drop(func(from, to protocols.Key, hub bool, f []byte) bool {
					return lost(c, from, to) && bearsReceipts(hub, f)
				})
				id, err := c.nodes[1].Send(c.t.Context(), c.group, "text/plain", []byte("lost on the way"))
				c.must(err)
				virtual.Pass(time.Second)
				if st, err := c.nodes[1].Status(c.t.Context(), c.group, id); err != nil || st.Delivered == 3 {
					c.t.Fatalf("nothing was lost: %+v, %v", st, err)
				}
				c.town.Drop(func(_, _ protocols.Key, _ bool, _ []byte) bool { return false })
				virtual.Pass(10 * time.Second)
				if st, err := c.nodes[1].Status(c.t.Context(), c.group, id); err != nil || st.Delivered != 3 {
					c.t.Errorf("after ten seconds %+v, %v", st, err)
				}
			})
		})
	}
}

// bearsReceipts says whether a frame has receipts in it.
func bearsReceipts(hub bool, b []byte) bool {
	switch f, _ := frameOf[wire.Frame](hub, b); f := f.(type) {
	case *wire.Receipts:
		return true
	case *wire.Replicated:
		return f.Receipt != nil
	}
	return false
}
