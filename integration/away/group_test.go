package away

import (
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

// kept is how many copies the daemons keep for others, all together.
func (w *town) kept(all []*proc.Daemon) (n int) {
	for _, d := range all {
		n += w.mailbox(d).Messages
	}
	return n
}

// met waits until daemons have found each other.
func (w *town) met(all ...*proc.Daemon) {
	w.T.Helper()
	w.until("everybody knows everybody", 30*time.Second, func() bool {
		return !slices.ContainsFunc(all, func(d *proc.Daemon) bool {
			s, err := d.Client.Status(w.ctx)
			return err != nil || s.Peers < len(all)-1
		})
	})
}

// TestGroupsReachThoseWhoAreAway: an invitation to a group, and the key to what
// was written in one, are sealed like everything else: holders keep them for a
// member who is off, and whoever sent them may be gone when it returns.
func TestGroupsReachThoseWhoAreAway(t *testing.T) {
	t.Parallel()
	w := newTown(t, 3*time.Minute)
	keepers := []*proc.Daemon{w.Start("keeper0"), w.Start("keeper1"), w.Start("keeper2")}
	alice, bob, carol := w.Start("alice"), w.Start("bob"), w.Start("carol")
	w.met(alice, bob, carol, keepers[0], keepers[1], keepers[2])
	w.send(alice, carol.Link, "before", localapi.Delivered) // no stranger invites anybody
	w.send(carol, alice.Link, "before", localapi.Delivered)
	found := func(name string) (group string) {
		made, err := alice.Client.CreateGroup(w.ctx, localapi.NewGroup{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		return made.Group
	}
	friends, later := found("friends"), found("later")
	link, err := alice.Client.InviteToGroup(w.ctx, friends, localapi.NewInvite{Uses: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*proc.Daemon{bob, carol} {
		if _, err := d.Client.JoinGroup(w.ctx, link.Link); err != nil {
			t.Fatal(err)
		}
	}
	holders := append([]*proc.Daemon{bob}, keepers...)
	w.until("nothing waits for anybody", 30*time.Second, func() bool { return w.kept(holders) == 0 })
	carol.Kill()

	// Alice has never written here: nobody has her key yet.
	sent, err := alice.Client.SendToGroup(w.ctx, friends, localapi.NewContent("", []byte("read this tomorrow")))
	if err != nil {
		t.Fatal(err)
	}
	w.until("bob has it", 30*time.Second, func() bool { return w.reads(bob, friends, "read this tomorrow") })
	if _, err := alice.Run(w.ctx, "group", "invite", later, carol.ID); err != nil {
		t.Fatal(err)
	}
	w.until("the key and the invitation are kept by three each", 30*time.Second, func() bool { return w.kept(holders) >= 6 })
	alice.Kill()

	if carol, err = carol.Again(w.ctx); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	w.until("the invitation is there", 20*time.Second, func() bool {
		all, err := carol.Client.GroupInvites(w.ctx)
		return err == nil && slices.ContainsFunc(all, func(i localapi.ReceivedInvite) bool { return i.Invite == later && i.From == alice.ID })
	})
	t.Logf("the invitation came %v after the start", time.Since(began).Round(time.Millisecond))
	w.until("carol reads what was written while she was away", time.Minute, func() bool { return w.reads(carol, friends, "read this tomorrow") })
	t.Logf("the group's message %s was read %v after the start", sent.ID, time.Since(began).Round(time.Millisecond))
}

// reads says that a text is in a daemon's log of a group.
func (w *town) reads(d *proc.Daemon, group, text string) bool {
	page, err := d.Client.GroupLog(w.ctx, group, localapi.GroupLogQuery{})
	return err == nil && slices.ContainsFunc(page, func(r localapi.GroupRecord) bool { return r.Body == text })
}
