package groups

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

// told reads a daemon's events of the group from the first on, until one is the
// last that is looked for.
func (p *party) told(d *proc.Daemon, last localapi.GroupWhat) (all []localapi.GroupEvent) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.T.Context(), patience)
	defer cancel()
	for e, err := range d.Client.Events(ctx, 0) {
		if err != nil {
			p.T.Fatalf("%s was told %+v, and then: %v", d.Name, all, err)
		}
		if e.Kind != localapi.EventGroup {
			continue
		}
		if all = append(all, *e.Group); e.Group.What == last {
			return all
		}
	}
	return all
}

// words are what was told, without repetitions.
func words(all []localapi.GroupEvent) string {
	var list []string
	for _, e := range all {
		if w := string(e.What); len(list) == 0 || list[len(list)-1] != w {
			list = append(list, w)
		}
	}
	return strings.Join(list, " ")
}

func TestWhatHappensInAGroupIsTold(t *testing.T) {
	t.Parallel()
	p := newParty(t, "alice", "bob", "carol")
	alice, bob, carol := p.members[0], p.members[1], p.members[2]
	p.write(bob, "hello", localapi.GroupAll)
	for _, c := range []localapi.GroupChange{
		{Change: localapi.ChangeRename, Name: "old friends"},
		{Change: localapi.ChangeRole, Peer: bob.ID, Role: "admin"},
		{Change: localapi.ChangeKick, Peer: carol.ID},
	} {
		sent, err := alice.Client.ChangeGroup(t.Context(), p.group, c)
		p.Check(err)
		_, err = alice.Client.WaitGroup(t.Context(), p.group, sent.ID, localapi.GroupAccepted, patience)
		p.Check(err)
	}
	told := p.told(carol, localapi.GroupRemoved)
	for _, e := range told {
		switch e.What {
		case localapi.GroupMessage:
			if e.Peer != bob.ID || e.PeerName != "bob" || e.Count != 1 || e.Seq == 0 {
				t.Errorf("of a message %+v", e)
			}
		case "role":
			if e.Peer != bob.ID || e.By != alice.ID || e.Detail != "admin" {
				t.Errorf("of a role %+v", e)
			}
		case "kick", localapi.GroupRemoved:
			if e.Peer != carol.ID || e.By != alice.ID || e.Name != "old friends" {
				t.Errorf("of a kick %+v", e)
			}
		}
	}
	told = slices.DeleteFunc(told, func(e localapi.GroupEvent) bool { return e.What == localapi.GroupChain }) // at any moment
	if got := words(told); !strings.Contains(got, "message rename role kick removed") {
		t.Errorf("carol was told: %s", got)
	}
	if got := words(p.told(alice, "kick")); !strings.HasPrefix(got, "join") {
		t.Errorf("alice was told: %s", got)
	}
}

// Who was hub dies: the others are told who claims and who is hub then.
func TestANewHubIsTold(t *testing.T) {
	t.Parallel()
	p := newParty(t, "alice", "bob", "carol")
	p.chained(p.members[1])
	p.hub(p.members[1]).Kill()
	hubs := 0
	for _, d := range p.members[1:] {
		told := p.told(d, localapi.GroupHub)
		if e := told[len(told)-1]; e.Peer == p.members[0].ID || e.Term < 2 {
			t.Errorf("%s was told %+v", d.Name, e)
		}
		for _, e := range told {
			if e.What == localapi.GroupClaimed {
				hubs++
			}
		}
	}
	if hubs != 1 {
		t.Errorf("%d were told that they claim", hubs)
	}
}
