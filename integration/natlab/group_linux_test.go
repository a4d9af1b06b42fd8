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

// newCircle has laptops, each at home behind a router of its own, found a group and
// come in by a link, and says how long that took.
func newCircle(t *testing.T, l *lab, routers ...nat) (c *circle, joined time.Duration) {
	t.Helper()
	c = &circle{t: t}
	var homes []site
	for i, how := range routers {
		homes = append(homes, behind(how, host(laptops[i])))
	}
	town := l.add(t, homes...)
	for i := range routers {
		c.members = append(c.members, l.start(t, town.site(laptops[i])))
	}
	for _, p := range c.members {
		p.ready(t)
	}
	begin := time.Now()
	made, err := c.members[0].Client.CreateGroup(t.Context(), localapi.NewGroup{Name: "friends"})
	c.check(err)
	c.group = made.Group
	invite, err := c.members[0].Client.InviteToGroup(t.Context(), c.group, localapi.NewInvite{Uses: 2})
	c.check(err)
	for _, p := range c.members[1:] {
		_, err := p.Client.JoinGroup(t.Context(), invite.Link)
		c.check(err)
	}
	return c, time.Since(begin).Round(time.Millisecond)
}

var laptops = [...]string{"alice", "bob", "carol"}

// Three laptops in three homes, one of them behind a router that needs relays. One
// founds a group, the others come by a link, and they talk. Somebody stumbles over
// the hub's cable: the others talk on, and who was cut off has it all when the cable
// is back.
func TestThreeLaptopsTalkOnWithoutTheirHub(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.startPublics(t, "p1", "p2", "p3")
	c, joined := newCircle(t, l, cone, cone, symmetric)
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

// Three laptops behind routers that need relays, whose admin lists a node in the open
// net to be hub for them, which can read nothing. Somebody stumbles over the hub's
// cable: that node leads the others, and who was cut off has it all when the cable is
// back.
func TestANodeInTheOpenNetLeadsLaptopsBehindRelays(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.startPublics(t, "p1", "p2", "p3")
	open := l.start(t, l.add(t, host("open")).site("open"), "--hub", "on")
	c, _ := newCircle(t, l, symmetric, symmetric, symmetric)
	hub, others := c.members[0], c.members[1:]
	c.says(others[0], "hello", localapi.GroupAll)
	listed := time.Now()
	_, err := hub.Client.ChangeGroup(t.Context(), c.group, localapi.GroupChange{
		Change: localapi.ChangeSettings, HubRelays: &[]string{open.Link},
	})
	c.check(err)
	c.shows(others[0], "it as shadow", func(g localapi.Group) bool { return g.Shadow == open.ID })
	shadow := time.Since(listed).Round(time.Millisecond)

	c.check(hub.at.unplug())
	halt := c.says(others[0], "are you there?", localapi.GroupAccepted)
	c.says(others[1], "I am", localapi.GroupDelivered)
	c.shows(others[0], "it as hub", func(g localapi.Group) bool { return g.Hub == open.ID })
	c.check(hub.at.plug())
	said := []string{"hello", "are you there?", "I am"}
	back := c.until(func() string {
		if got := c.texts(hub); !slices.Equal(got, said) {
			return fmt.Sprintf("what was said while %s was cut off: %q", hub.Name, got)
		}
		return ""
	})
	if served, err := open.Client.ServedGroups(t.Context()); err != nil || len(served) != 1 || served[0].Place != "hub" {
		t.Errorf("it serves %+v, %v", served, err)
	}
	if in, err := open.Client.Groups(t.Context()); err != nil || len(in) > 0 {
		t.Errorf("it is in %+v, %v", in, err)
	}
	report(fmt.Sprintf("three laptops reached by relays only, and a node in the open net that their admin listed: shadow after %v; "+
		"the hub's cable pulled: the next message accepted after %v; plugged in again: all there after %v\n", shadow, halt, back))
}

// shows waits until a member shows the group so.
func (c *circle) shows(p *party, what string, so func(localapi.Group) bool) {
	c.t.Helper()
	c.until(func() string {
		g, err := p.Client.Group(c.t.Context(), c.group)
		c.check(err)
		if !so(g) {
			return fmt.Sprintf("that %s shows %s: %+v", p.Name, what, g)
		}
		return ""
	})
}
