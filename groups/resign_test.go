package groups_test

import (
	"context"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// A hub that stops hands over in a round trip; what is written meanwhile waits no
// longer than that.
func TestAHubThatStopsHandsOver(t *testing.T) {
	t.Parallel()
	inTown(t, 4, func(c *crowd) {
		for _, n := range c.nodes {
			c.write(n, "hello", 3)
		}
		const oneWay = 50 * time.Millisecond
		c.town.Slow(func(_, _ protocols.Key) groupstest.Speed { return groupstest.Speed{Delay: oneWay} })
		virtual.Pass(5 * time.Second) // a shadow is named
		hub := c.nodes[0]
		begun := time.Now()
		ctx, cancel := context.WithTimeout(c.t.Context(), 3*time.Second)
		hub.Resign(ctx)
		cancel()
		if took := time.Since(begun); took > 2*oneWay+20*time.Millisecond {
			c.t.Errorf("it takes %v to hand over", took)
		}
		hub.Stop()
		id, err := c.nodes[1].Send(c.t.Context(), c.group, "text/plain", []byte("at once"))
		c.must(err)
		c.reaches(c.nodes[1], id, 2)
		if took := time.Since(begun); took > time.Second {
			c.t.Errorf("a message written then is delivered after %v", took)
		}
		i, err := c.nodes[1].Show(c.t.Context(), c.group)
		c.must(err)
		if i.Hub == hub.Key || i.Number != 2 {
			c.t.Errorf("then %v is hub of term %d", i.Hub, i.Number)
		}
	})
}

// Alone, or with a shadow that has gone, there is nobody to hand over to: the stop
// does not wait.
func TestAHubThatIsAloneJustStops(t *testing.T) {
	t.Parallel()
	inTown(t, 1, func(c *crowd) {
		begun := time.Now()
		c.nodes[0].Resign(c.t.Context())
		if took := time.Since(begun); took > 0 {
			c.t.Errorf("it waits for %v", took)
		}
	})
}
