package groups

import (
	"cmp"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/integration/proc/proctest"
	"github.com/tom-protocol/tom/node/localapi"
)

const patience = time.Minute // for what is certain to come

func TestMain(m *testing.M) {
	code := proctest.Main(m)
	fmt.Print("\n", table())
	os.Exit(code)
}

// party is a group of daemons; the first has founded it.
type party struct {
	*proctest.Machine
	members []*proc.Daemon
	group   string
}

// newParty starts daemons, and lets all join a group by one link.
func newParty(t *testing.T, names ...string) *party {
	t.Helper()
	p := &party{Machine: proctest.New(t)}
	for _, name := range names {
		p.members = append(p.members, p.Start(name))
	}
	made, err := p.members[0].Client.CreateGroup(t.Context(), localapi.NewGroup{Name: "friends"})
	p.Check(err)
	p.group = made.Group
	if len(names) == 1 {
		return p
	}
	link := p.link(uint64(len(names)))
	for i, d := range p.members[1:] {
		joined, err := d.Client.JoinGroup(t.Context(), link)
		p.Check(err)
		if joined.Group != p.group || joined.Members != i+2 {
			t.Fatalf("%s joined %+v", d.Name, joined)
		}
	}
	return p
}

func (p *party) link(uses uint64) string {
	p.T.Helper()
	i, err := p.members[0].Client.InviteToGroup(p.T.Context(), p.group, localapi.NewInvite{Uses: uses})
	p.Check(err)
	return i.Link
}

// write lets a daemon write, and waits until the message has come so far.
func (p *party) write(d *proc.Daemon, text string, want localapi.GroupState) localapi.GroupSent {
	p.T.Helper()
	sent, err := d.Client.SendToGroup(p.T.Context(), p.group, localapi.NewContent(localapi.DefaultType, []byte(text)))
	p.Check(err)
	sent, err = d.Client.WaitGroup(p.T.Context(), p.group, sent.ID, want, time.Minute)
	p.Check(err)
	if !sent.State.Reached(want) {
		p.T.Fatalf("%s wrote %q, and it is %+v", d.Name, text, sent)
	}
	return sent
}

// log is the log of a daemon.
func (p *party) log(d *proc.Daemon) (all []localapi.GroupRecord) {
	p.T.Helper()
	for at := uint64(0); ; {
		page, err := d.Client.GroupLog(p.T.Context(), p.group, localapi.GroupLogQuery{Since: at})
		p.Check(err)
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		at = page[len(page)-1].Cursor
	}
}

// eventually waits until f holds; what it says is printed if it never does.
func (p *party) eventually(f func() (string, bool)) {
	p.T.Helper()
	p.Until(time.Minute, func() string {
		said, holds := f()
		if holds {
			return ""
		}
		return cmp.Or(said, "it never held")
	})
}

// sameLogs waits until all have the same log, with texts, and returns it.
func (p *party) sameLogs(among []*proc.Daemon, least int) (log []localapi.GroupRecord) {
	p.T.Helper()
	p.eventually(func() (string, bool) {
		log = p.log(among[0])
		if len(log) < least {
			return fmt.Sprintf("%s has %d records of %d", among[0].Name, len(log), least), false
		}
		for _, d := range among[1:] {
			if why := differ(log, p.log(d)); why != "" {
				return fmt.Sprintf("%s and %s: %s", among[0].Name, d.Name, why), false
			}
		}
		return "", true
	})
	return log
}

func differ(a, b []localapi.GroupRecord) string {
	if len(a) != len(b) {
		return fmt.Sprintf("%d and %d records", len(a), len(b))
	}
	for i := range a {
		x, y := a[i], b[i]
		x.Name, y.Name = "", ""
		x.Cursor, y.Cursor = 0, 0 // each node's own
		if x != y && x.Mark != string("unreadable") && y.Mark != "unreadable" {
			return fmt.Sprintf("record %d: %+v and %+v", i, x, y)
		}
	}
	return ""
}

// hub waits until a daemon knows who is hub, and returns it.
func (p *party) hub(by *proc.Daemon) *proc.Daemon {
	p.T.Helper()
	g, err := by.Client.Group(p.T.Context(), p.group)
	p.Check(err)
	for _, d := range p.members {
		if d.ID == g.Hub {
			return d
		}
	}
	p.T.Fatalf("hub %s is nobody", g.Hub)
	return nil
}

// chained waits until the hub has named a shadow and a candidate.
func (p *party) chained(by *proc.Daemon) {
	p.T.Helper()
	p.eventually(func() (string, bool) {
		g, err := by.Client.Group(p.T.Context(), p.group)
		p.Check(err)
		return fmt.Sprintf("%+v", g), g.Shadow != "" && (g.Candidate != "" || len(g.Members) < 3)
	})
}
