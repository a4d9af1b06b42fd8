package natlab

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

// unplug pulls a host's cable out of its router; plug puts it back.
func (n *node) unplug() error { return n.up.gateway.ip("link set " + n.socket() + " down\n") }

func (n *node) plug() error { return n.up.gateway.ip("link set " + n.socket() + " up\n") }

// circle is a group of laptops.
type circle struct {
	t       *testing.T
	group   string
	members []*party
}

const circleTime = time.Minute // for anything that takes seconds

func (c *circle) check(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// until waits until nothing is missing, and returns how long that took.
func (c *circle) until(missing func() string) time.Duration {
	c.t.Helper()
	took, err := proc.Until(c.t.Context(), circleTime, missing)
	c.check(err)
	return took.Round(time.Millisecond)
}

// says has a member write, and returns how long it took to come so far.
func (c *circle) says(p *party, text string, want localapi.GroupState) time.Duration {
	c.t.Helper()
	start := time.Now()
	sent, err := p.Client.SendToGroup(c.t.Context(), c.group, localapi.NewContent(localapi.DefaultType, []byte(text)))
	c.check(err)
	sent, err = p.Client.WaitGroup(c.t.Context(), c.group, sent.ID, want, circleTime)
	c.check(err)
	if !sent.State.Reached(want) {
		c.t.Fatalf("%s says %q, and it is %+v", p.Name, text, sent)
	}
	return time.Since(start).Round(time.Millisecond)
}

// hub waits until a hub is there with shadow and candidate, and returns it and the
// others.
func (c *circle) hub() (hub *party, others []*party) {
	c.t.Helper()
	c.until(func() string {
		g, err := c.members[0].Client.Group(c.t.Context(), c.group)
		c.check(err)
		i := slices.IndexFunc(c.members, func(p *party) bool { return p.ID == g.Hub })
		if i < 0 || g.Shadow == "" || g.Candidate == "" {
			return fmt.Sprintf("a chain of three: %+v", g)
		}
		hub = c.members[i]
		return ""
	})
	return hub, slices.DeleteFunc(slices.Clone(c.members), func(p *party) bool { return p == hub })
}

// texts is what was said, as a member has it.
func (c *circle) texts(p *party) (list []string) {
	c.t.Helper()
	log, err := p.Client.GroupLog(c.t.Context(), c.group, localapi.GroupLogQuery{})
	c.check(err)
	for _, r := range log {
		if r.Kind == "message" {
			list = append(list, r.Body)
		}
	}
	return list
}

// Three laptops in three homes, one of them behind a router that needs relays. One
// founds a group, the others come by a link, and they talk. Somebody stumbles over
// the hub's cable: the others talk on, and who was cut off has it all when the cable
// is back.
func TestThreeLaptopsTalkOnWithoutTheirHub(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.startPublics(t, "p1", "p2", "p3")
	names := []string{"alice", "bob", "carol"}
	homes := l.add(t, behind(cone, host(names[0])), behind(cone, host(names[1])), behind(symmetric, host(names[2])))
	c := &circle{t: t}
	for _, name := range names {
		c.members = append(c.members, l.start(t, homes.site(name)))
	}
	for _, p := range c.members {
		p.ready(t)
	}
	begin := time.Now()
	alice := c.members[0].Client
	made, err := alice.CreateGroup(t.Context(), localapi.NewGroup{Name: "friends"})
	c.check(err)
	c.group = made.Group
	invite, err := alice.InviteToGroup(t.Context(), c.group, localapi.NewInvite{Uses: 2})
	c.check(err)
	for _, p := range c.members[1:] {
		_, err := p.Client.JoinGroup(t.Context(), invite.Link)
		c.check(err)
	}
	joined := time.Since(begin).Round(time.Millisecond)
	var said []string
	var first, later time.Duration
	for _, p := range c.members {
		first = max(first, c.says(p, "hello from "+p.Name, localapi.GroupAll))
		said = append(said, "hello from "+p.Name)
	}
	hub, others := c.hub()
	for _, p := range c.members {
		later = max(later, c.says(p, p.Name+" again", localapi.GroupAll))
		said = append(said, p.Name+" again")
	}

	c.check(hub.at.unplug())
	halt := c.says(others[0], "are you there?", localapi.GroupAccepted)
	c.says(others[1], "I am", localapi.GroupDelivered)
	said = append(said, "are you there?", "I am")
	c.check(hub.at.plug())
	back := c.until(func() string {
		if got := c.texts(hub); !slices.Equal(got, said) {
			return fmt.Sprintf("what was said while %s was cut off: %q", hub.Name, got)
		}
		return ""
	})
	c.says(hub, "what did I miss?", localapi.GroupAll)
	said = append(said, "what did I miss?")
	for _, p := range c.members {
		if got := c.texts(p); !slices.Equal(got, said) {
			t.Errorf("%s has %q, and %q was said", p.Name, got, said)
		}
	}
	report(fmt.Sprintf("three laptops in a group, one of them reached by relays only: created and joined by link in %v; a first message with all after %v, later ones %v; "+
		"the hub's cable pulled: the next message accepted after %v; plugged in again: all there after %v\n", joined, first, later, halt, back))
}
