package groups

import (
	"cmp"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

var binary string // tomd, built once

const patience = time.Minute // for what is certain to come

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	defer proc.CleanUp()
	var err error
	if binary, err = proc.Build(nil); err != nil {
		fmt.Println(err)
		return 1
	}
	code := m.Run()
	fmt.Print("\n", table())
	return code
}

// party is a group of daemons; the first has founded it.
type party struct {
	t       *testing.T
	machine *proc.Machine
	members []*proc.Daemon
	group   string
}

// newParty starts daemons, and lets all join a group by one link.
func newParty(t *testing.T, names ...string) *party {
	t.Helper()
	m, err := proc.NewMachine(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &party{t: t, machine: m}
	for _, name := range names {
		p.members = append(p.members, p.start(name))
	}
	made, err := p.members[0].Client.CreateGroup(t.Context(), localapi.NewGroup{Name: "friends"})
	p.check(err)
	p.group = made.Group
	if len(names) == 1 {
		return p
	}
	link := p.link(uint64(len(names)))
	for i, d := range p.members[1:] {
		joined, err := d.Client.JoinGroup(t.Context(), link)
		p.check(err)
		if joined.Group != p.group || joined.Members != i+2 {
			t.Fatalf("%s joined %+v", d.Name, joined)
		}
	}
	return p
}

func (p *party) start(name string) *proc.Daemon {
	p.t.Helper()
	d, err := p.machine.Start(p.t.Context(), name)
	p.check(err)
	return d
}

func (p *party) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *party) link(uses uint64) string {
	p.t.Helper()
	i, err := p.members[0].Client.InviteToGroup(p.t.Context(), p.group, localapi.NewInvite{Uses: uses})
	p.check(err)
	return i.Link
}

// write lets a daemon write, and waits until the message has come so far.
func (p *party) write(d *proc.Daemon, text string, want localapi.GroupState) localapi.GroupSent {
	p.t.Helper()
	sent, err := d.Client.SendToGroup(p.t.Context(), p.group, localapi.NewContent(localapi.DefaultType, []byte(text)))
	p.check(err)
	sent, err = d.Client.WaitGroup(p.t.Context(), p.group, sent.ID, want, time.Minute)
	p.check(err)
	if !sent.State.Reached(want) {
		p.t.Fatalf("%s wrote %q, and it is %+v", d.Name, text, sent)
	}
	return sent
}

// log is the log of a daemon.
func (p *party) log(d *proc.Daemon) (all []localapi.GroupRecord) {
	p.t.Helper()
	for at := uint64(0); ; {
		page, err := d.Client.GroupLog(p.t.Context(), p.group, localapi.GroupLogQuery{Since: at})
		p.check(err)
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		at = page[len(page)-1].Cursor
	}
}

// eventually waits until f holds; what it says is printed if it never does.
func (p *party) eventually(f func() (string, bool)) {
	p.t.Helper()
	_, err := proc.Until(p.t.Context(), time.Minute, func() string {
		said, holds := f()
		if holds {
			return ""
		}
		return cmp.Or(said, "it never held")
	})
	p.check(err)
}

// sameLogs waits until all have the same log, with texts, and returns it.
func (p *party) sameLogs(among []*proc.Daemon, least int) (log []localapi.GroupRecord) {
	p.t.Helper()
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
	p.t.Helper()
	g, err := by.Client.Group(p.t.Context(), p.group)
	p.check(err)
	for _, d := range p.members {
		if d.ID == g.Hub {
			return d
		}
	}
	p.t.Fatalf("hub %s is nobody", g.Hub)
	return nil
}

// chained waits until the hub has named a shadow and a candidate.
func (p *party) chained(by *proc.Daemon) {
	p.t.Helper()
	p.eventually(func() (string, bool) {
		g, err := by.Client.Group(p.t.Context(), p.group)
		p.check(err)
		return fmt.Sprintf("%+v", g), g.Shadow != "" && (g.Candidate != "" || len(g.Members) < 3)
	})
}
