package groups

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/localapi"
)

func TestAllSeeOneOrder(t *testing.T) {
	t.Parallel()
	p := newParty(t, "alice", "bob", "carol")
	const each = 15
	var writing sync.WaitGroup
	for _, d := range p.members {
		writing.Go(func() {
			for i := range each {
				content := localapi.NewContent(localapi.DefaultType, fmt.Appendf(nil, "%s %d", d.Name, i))
				if _, err := d.Client.SendToGroup(t.Context(), p.group, content); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	log := p.sameLogs(p.members, 2+3*each)
	next := map[string]int{}
	for i, r := range log {
		if r.Seq != uint64(i+1) || r.Mark != "effective" {
			t.Errorf("record %d: %+v", i, r)
		}
		if r.Kind != "message" {
			continue
		}
		if want := fmt.Sprint(" ", next[r.From]); !strings.HasSuffix(r.Body, want) {
			t.Errorf("%q came as the author's message%s", r.Body, want)
		}
		next[r.From]++
	}
	last := p.write(p.members[1], "the end", localapi.GroupAll)
	if last.Delivered != 2 || last.Members != 2 {
		t.Errorf("sent %+v", last)
	}
	p.Check(p.members[2].Client.MarkGroupRead(t.Context(), p.group, last.Seq))
	p.eventually(func() (string, bool) {
		sent, err := p.members[1].Client.WaitGroup(t.Context(), p.group, last.ID, localapi.GroupAll, time.Second)
		p.Check(err)
		return fmt.Sprintf("%+v", sent), sent.Read == 1
	})
}

func TestInvitationsWaitForThoseWhoAreAway(t *testing.T) {
	t.Parallel()
	p := newParty(t, "alice", "bob")
	alice := p.members[0]
	carol := p.Start("carol")
	_, err := alice.Client.AddContact(t.Context(), carol.Link, "caro")
	p.Check(err)
	p.Check(carol.Stop(t.Context()))
	_, err = alice.Client.InviteToGroup(t.Context(), p.group, localapi.NewInvite{Peer: "caro"})
	p.Check(err)
	p.write(alice, "before carol", localapi.GroupAll)

	carol, err = carol.Again(t.Context())
	p.Check(err)
	var invites []localapi.ReceivedInvite
	p.eventually(func() (string, bool) {
		invites, err = carol.Client.GroupInvites(t.Context())
		p.Check(err)
		return "no invitation came", len(invites) == 1
	})
	if invites[0].Name != "friends" || invites[0].From != alice.ID {
		t.Errorf("invitation %+v", invites[0])
	}
	joined, err := carol.Client.JoinGroup(t.Context(), invites[0].Invite)
	p.Check(err)
	if joined.Members != 3 || joined.Name != "friends" {
		t.Errorf("joined %+v", joined)
	}
	p.members = append(p.members, carol)
	p.write(p.members[1], "after carol", localapi.GroupAll)
	p.write(carol, "carol herself", localapi.GroupAll)
	for _, r := range p.log(carol) {
		if r.Body == "before carol" || r.Body == "" && r.Kind == "message" && r.Mark != "unreadable" {
			t.Errorf("carol reads what was written before she came: %+v", r)
		}
	}
	if left, err := carol.Client.GroupInvites(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("invitations that were used: %v, %v", left, err)
	}
}

func TestWhoIsKickedOrLeavesHearsNothingMore(t *testing.T) {
	t.Parallel()
	p := newParty(t, "alice", "bob", "carol", "dave")
	alice, bob, carol, dave := p.members[0], p.members[1], p.members[2], p.members[3]
	if _, err := bob.Client.ChangeGroup(t.Context(), p.group, localapi.GroupChange{Change: localapi.ChangeKick, Peer: carol.ID}); err == nil {
		t.Error("a member that is no admin kicks")
	}
	link := p.link(9)
	p.write(carol, "while carol is in", localapi.GroupAll)
	kick, err := alice.Client.ChangeGroup(t.Context(), p.group, localapi.GroupChange{Change: localapi.ChangeKick, Peer: carol.ID})
	p.Check(err)
	_, err = alice.Client.WaitGroup(t.Context(), p.group, kick.ID, localapi.GroupAccepted, time.Minute)
	p.Check(err)
	p.write(alice, "without carol", localapi.GroupDelivered)
	_, err = dave.Client.ChangeGroup(t.Context(), p.group, localapi.GroupChange{Change: localapi.ChangeLeave})
	p.Check(err)
	for _, gone := range p.members[2:] {
		p.eventually(func() (string, bool) {
			list, err := gone.Client.Groups(t.Context())
			p.Check(err)
			return gone.Name + " is in still", len(list) == 0
		})
	}
	sent := p.write(bob, "only two are left", localapi.GroupAll)
	if sent.Members != 1 {
		t.Errorf("sent %+v", sent)
	}
	if _, err := carol.Client.JoinGroup(t.Context(), link); err == nil {
		t.Error("one who was kicked comes back by a link from before")
	}
	g, err := bob.Client.Group(t.Context(), p.group)
	p.Check(err)
	if ids := []string{g.Members[0].ID, g.Members[1].ID}; len(g.Members) != 2 || !slices.Contains(ids, alice.ID) || !slices.Contains(ids, bob.ID) {
		t.Errorf("members %+v", g.Members)
	}
}
