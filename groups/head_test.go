package groups_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// headsVerified counts the signatures of heads that are verified.
type headsVerified struct {
	wire.Verifier
	n atomic.Int64
}

func (v *headsVerified) Verify(k protocols.Key, tag protocols.Tag, msg, sig []byte) bool {
	if tag == protocols.TagGroupHead {
		v.n.Add(1)
	}
	return v.Verifier.Verify(k, tag, msg, sig)
}

// All who begin to write at once say with their keys which head they follow, and each
// looks at that once.
func TestTheSameHeadWithManyKeysIsVerifiedOnce(t *testing.T) {
	t.Parallel()
	const members = 12
	heads := &headsVerified{Verifier: protocols.Main}
	starredBy(t, heads, members, func(c *crowd, _ *groupstest.Node) {
		virtual.Pass(5 * time.Second)
		c.town.Drop(func(_, _ protocols.Key, hub bool, frame []byte) bool { // what they write says nothing of heads
			return publishes(hub, frame)
		})
		before := heads.n.Load()
		var sent sync.WaitGroup
		for _, n := range c.nodes[1:] {
			sent.Go(func() { <-c.says(n, "hello") })
		}
		sent.Wait()
		virtual.Pass(time.Second)
		if n := heads.n.Load() - before; n < members-1 || n > 3*members {
			c.t.Errorf("%d heads were verified", n)
		}
	})
}
