package groups_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

// A member hears all, and what it says gets to nobody, or not to the hub, which so does
// not learn either what it has of the log. It accuses nobody, and is told that the hub
// does not answer. A hub that answers is accused.
func TestALinkThatCarriesOneWayAccusesNobody(t *testing.T) {
	t.Parallel()
	const change = 150 * time.Second
	for name, x := range map[string]struct {
		lost func(since time.Duration, publishes, toHub bool) bool
		want []groups.What
	}{
		"to the hub":                {func(_ time.Duration, _, toHub bool) bool { return toHub }, []groups.What{groups.Deaf}},
		"to anybody":                {func(time.Duration, bool, bool) bool { return true }, []groups.What{groups.Deaf}},
		"records, to anybody":       {func(_ time.Duration, publishes, _ bool) bool { return publishes }, []groups.What{groups.Forged}},
		"all, and then the records": {func(since time.Duration, publishes, _ bool) bool { return publishes || since < change }, []groups.What{groups.Deaf, groups.Forged}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settled(t, func(c *crowd, hub *groupstest.Node) {
				member, begun := c.nodes[3], time.Now()
				c.town.Drop(func(from, to protocols.Key, onHub bool, frame []byte) bool {
					return from == member.Key && x.lost(time.Since(begun), publishes(onHub, frame), to == hub.Key)
				})
				_, err := member.Send(c.t.Context(), c.group, "text/plain", []byte("does it get there"))
				c.must(err)
				for time.Since(begun) < 2*change {
					_, err := c.nodes[1].Send(c.t.Context(), c.group, "text/plain", []byte("as ever"))
					c.must(err)
					virtual.Pass(5 * time.Second)
				}
				var said []groups.What
				list, _ := member.Events()
				for _, e := range list {
					if e.Peer == hub.Key && (e.What == groups.Forged || e.What == groups.Deaf) && !slices.Contains(said, e.What) {
						said = append(said, e.What)
					}
				}
				if !slices.Equal(said, x.want) {
					c.t.Errorf("it is told %q, and not %q", said, x.want)
				}
			})
		})
	}
}
