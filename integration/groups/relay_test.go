package groups

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

// listed has an admin list a relay, by the command, and waits until that is shadow.
func (p *party) listed(admin, relay *proc.Daemon) {
	p.T.Helper()
	var sent localapi.GroupSent
	p.Check(admin.JSON(p.T.Context(), &sent, "group", "set", "friends", "--hub-relays", relay.ID))
	p.eventually(func() (string, bool) {
		g, err := admin.Client.Group(p.T.Context(), p.group)
		p.Check(err)
		return fmt.Sprintf("%+v", g), g.Shadow == relay.ID && g.Candidate != "" && len(g.Members) == 3 && len(g.HubRelays) == 1
	})
}

// leads waits until a member knows another to be hub.
func (p *party) leads(hub string, by *proc.Daemon) {
	p.T.Helper()
	p.eventually(func() (string, bool) {
		g, err := by.Client.Group(p.T.Context(), p.group)
		p.Check(err)
		return fmt.Sprintf("%+v", g), g.Hub == hub
	})
}

// A relay that is no member takes over when the hub is killed while all write, puts
// into order what an admin does, and when it is killed too a member takes over.
func TestARelayThatIsNoMemberTakesOver(t *testing.T) {
	t.Parallel()
	p := newParty(t, "alice", "bob", "carol")
	relay := p.Start("relay", "--hub", "on")
	alice, bob, carol := p.members[0], p.members[1], p.members[2]
	var sent localapi.GroupSent
	p.Check(alice.JSON(t.Context(), &sent, "group", "role", "friends", bob.ID, "admin"))
	p.listed(alice, relay)
	c := &chat{party: p}
	for _, d := range p.members {
		c.begin(d)
	}
	p.write(bob, "before", localapi.GroupAll)

	killed := time.Now()
	alice.Kill()
	sent = p.write(bob, "alice is gone", localapi.GroupAccepted)
	t.Logf("the hub was killed; accepted in term %d after %v", sent.Term, time.Since(killed).Round(time.Millisecond))
	p.leads(relay.ID, bob)
	p.Check(bob.JSON(t.Context(), &sent, "group", "rename", "friends", "fellows"))
	p.serves(relay, 1)
	back, err := alice.Again(t.Context())
	p.Check(err)
	p.members[0] = back
	c.begin(back)
	p.write(back, "alice is back", localapi.GroupAll)

	killed = time.Now()
	relay.Kill()
	sent = p.write(carol, "the relay is gone", localapi.GroupAccepted)
	t.Logf("the relay was killed; accepted in term %d after %v", sent.Term, time.Since(killed).Round(time.Millisecond))
	relay, err = relay.Again(t.Context())
	p.Check(err)
	p.eventually(func() (string, bool) { // it comes back as one that may be hub
		g, err := bob.Client.Group(t.Context(), p.group)
		p.Check(err)
		return fmt.Sprintf("%+v", g), g.Name == "fellows" && slices.ContainsFunc(p.members, func(d *proc.Daemon) bool { return d.ID == g.Hub }) && g.Shadow == relay.ID
	})
	c.end()
	c.holdsAll()
	p.Check(bob.JSON(t.Context(), &sent, "group", "set", "fellows", "--hub-relays", ""))
	p.serves(relay, 0)
}

// serves waits until a relay serves so many groups, none of which it is in.
func (p *party) serves(relay *proc.Daemon, groups int) {
	p.T.Helper()
	p.eventually(func() (string, bool) {
		served, err := relay.Client.ServedGroups(p.T.Context())
		p.Check(err)
		in, err := relay.Client.Groups(p.T.Context())
		p.Check(err)
		return fmt.Sprintf("in %+v, serves %+v", in, served), len(in) == 0 && len(served) == groups
	})
}

// A relay whose user forbids it serves nobody, and the admin reads why.
func TestARelayWhoseUserForbidsItDeclines(t *testing.T) {
	t.Parallel()
	p := newParty(t, "alice", "bob")
	relay := p.Start("relay", "--hub", "off")
	var sent localapi.GroupSent
	p.Check(p.members[0].JSON(t.Context(), &sent, "group", "set", "friends", "--hub-relays", relay.ID))
	p.eventually(func() (string, bool) {
		g, err := p.members[0].Client.Group(t.Context(), p.group)
		p.Check(err)
		return fmt.Sprintf("%+v", g), len(g.HubRelays) == 1 && g.HubRelays[0].Declines != ""
	})
	p.serves(relay, 0)
}
