package groups

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

func TestAMemberThatWasKilledCatchesUp(t *testing.T) {
	t.Parallel()
	p := newParty(t, "alice", "bob", "carol")
	p.write(p.members[2], "before", localapi.GroupAll)
	p.members[2].Kill()
	for i := range 20 {
		p.write(p.members[i%2], fmt.Sprint("while carol is away ", i), localapi.GroupDelivered)
	}
	carol, err := p.members[2].Again(t.Context())
	p.Check(err)
	p.members[2] = carol
	log := p.sameLogs(p.members, 2+21)
	for _, r := range log {
		if r.Mark != "effective" {
			t.Errorf("%+v", r)
		}
	}
	p.write(carol, "back again", localapi.GroupAll)
}

func TestAHubThatIsKilledContinuesItsLog(t *testing.T) {
	t.Parallel()
	p := newParty(t, "alice")
	first := p.write(p.members[0], "alone", localapi.GroupAccepted)
	p.members[0].Kill()
	alice, err := p.members[0].Again(t.Context())
	p.Check(err)
	p.members[0] = alice
	second := p.write(alice, "alone again", localapi.GroupAccepted)
	if first.Seq != 1 || second.Seq != 2 || second.Term != first.Term {
		t.Errorf("before %+v, afterwards %+v", first, second)
	}
	log := p.log(alice)
	if len(log) != 2 || log[0].Body != "alone" || log[1].Body != "alone again" {
		t.Errorf("log %+v", log)
	}
}

// The hub is killed while everybody writes; another takes over, the talk goes on,
// and who was killed comes back as a member.
func TestTheTalkGoesOnWhenTheHubIsKilled(t *testing.T) {
	t.Parallel()
	p := newParty(t, "alice", "bob", "carol")
	p.write(p.members[1], "to begin with", localapi.GroupAll)
	for round := range 2 {
		p.chained(p.members[0])
		hub := p.hub(p.members[0])
		others := slices.DeleteFunc(slices.Clone(p.members), func(d *proc.Daemon) bool { return d == hub })
		killed := time.Now()
		hub.Kill()
		sent := p.write(others[0], fmt.Sprint("after the hub was killed, ", round), localapi.GroupAccepted)
		t.Logf("round %d: %s killed; accepted in term %d after %s", round, hub.Name, sent.Term, time.Since(killed).Round(time.Millisecond))
		p.write(others[1], fmt.Sprint("the other one too, ", round), localapi.GroupDelivered)
		back, err := hub.Again(t.Context())
		p.Check(err)
		p.members[slices.Index(p.members, hub)] = back
		p.write(back, fmt.Sprint("back again, ", round), localapi.GroupAll)
	}
	log := p.sameLogs(p.members, 2+1+6)
	seen := map[string]bool{}
	for _, r := range log {
		if seen[r.ID] {
			t.Errorf("twice in the log: %+v", r)
		}
		seen[r.ID] = true
	}
}

func TestAHubThatLeavesHandsOver(t *testing.T) {
	t.Parallel()
	p := newParty(t, "alice", "bob", "carol")
	p.write(p.members[1], "to begin with", localapi.GroupAll)
	p.chained(p.members[0])
	hub := p.hub(p.members[0])
	others := slices.DeleteFunc(slices.Clone(p.members), func(d *proc.Daemon) bool { return d == hub })
	left := time.Now()
	_, err := hub.Client.ChangeGroup(t.Context(), p.group, localapi.GroupChange{Change: localapi.ChangeLeave})
	p.Check(err)
	p.eventually(func() (string, bool) {
		g, err := others[0].Client.Group(t.Context(), p.group)
		p.Check(err)
		return fmt.Sprintf("%+v", g), g.Hub != hub.ID && len(g.Members) == 2
	})
	p.write(others[0], "without the one that was hub", localapi.GroupAll)
	t.Logf("the next message was with all after %s", time.Since(left).Round(time.Millisecond))
	p.eventually(func() (string, bool) {
		list, err := hub.Client.Groups(t.Context())
		p.Check(err)
		return "it is in still", len(list) == 0
	})
}

func TestAnAdminMovesTheHub(t *testing.T) {
	t.Parallel()
	p := newParty(t, "alice", "bob", "carol")
	p.chained(p.members[0])
	_, err := p.members[0].Client.ChangeGroup(t.Context(), p.group, localapi.GroupChange{Change: localapi.ChangeHub, Peer: p.members[2].ID})
	p.Check(err)
	p.eventually(func() (string, bool) {
		g, err := p.members[1].Client.Group(t.Context(), p.group)
		p.Check(err)
		return fmt.Sprintf("%+v", g), g.Hub == p.members[2].ID
	})
	for _, d := range p.members {
		p.write(d, d.Name, localapi.GroupAll)
	}
	p.sameLogs(p.members, 2+3)
}
