//go:build unix

package groups

import (
	"fmt"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/localapi"
)

// pause is how long a hub is stopped: long enough for another to be hub.
const pause = 10 * time.Second

// A hub that slept does not know it. It accepts nothing in its old term, and comes
// back as a member.
func TestAHubThatWasPausedComesBackAsAMember(t *testing.T) {
	t.Parallel()
	c := &chat{party: newParty(t, names(5)...)}
	for _, d := range c.members {
		c.begin(d)
	}
	chain, g := c.chain(1)
	paused := chain[0]
	begun := time.Now()
	c.Check(paused.Pause())
	var first accepted
	c.eventually(func() (string, bool) {
		var ok bool
		first, ok = c.after(g.Term)
		return "nothing was accepted while the hub was paused", ok
	})
	<-time.After(pause - time.Since(begun))
	resumed := time.Now()
	c.Check(paused.Resume())
	c.eventually(func() (string, bool) {
		now, err := paused.Client.Group(t.Context(), c.group)
		c.Check(err)
		return fmt.Sprintf("%+v", now), now.Term >= first.term && now.Hub != paused.ID
	})
	back := time.Since(resumed)
	c.write(paused, "I must have fallen asleep", localapi.GroupDelivered)
	c.agree()
	c.end()
	c.holdsAll()
	t.Logf("another hub accepted after %s; who was paused for %s follows it %s after waking", first.at.Sub(begun).Round(time.Millisecond), pause, back.Round(time.Millisecond))
}
