//go:build linux

package chat

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/tom-protocol/tom/integration/needs"
	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

var (
	binary string // tomd, built once
	update = flag.Bool("update", false, "rewrite the golden files")
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	defer proc.CleanUp()
	var err error
	if binary, err = proc.Build(nil); err != nil {
		fmt.Println(err)
		return 1
	}
	return m.Run()
}

// world is some daemons, and a terminal for their people.
type world struct {
	*proc.Machine
	t   *testing.T
	tty *terminal
}

func newWorld(t *testing.T) *world {
	t.Helper()
	needs.Tools(t, "tmux")
	m, err := proc.NewMachine(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{m, t, newTerminal(t)}
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) start(name string) *proc.Daemon {
	w.t.Helper()
	d, err := w.Start(w.t.Context(), name)
	w.check(err)
	return d
}

// acquaint makes each a contact of the other.
func (w *world) acquaint(a, b *proc.Daemon) {
	w.t.Helper()
	for _, d := range [][2]*proc.Daemon{{a, b}, {b, a}} {
		_, err := d[0].Client.AddContact(w.t.Context(), d[1].Link, d[1].Name)
		w.check(err)
	}
}

// befriend makes a group of daemons, and waits until it has all that takes over
// when the first, its hub, goes.
func (w *world) befriend(members ...*proc.Daemon) {
	w.t.Helper()
	ctx, hub := w.t.Context(), members[0].Client
	_, err := hub.CreateGroup(ctx, localapi.NewGroup{Name: "friends"})
	w.check(err)
	i, err := hub.InviteToGroup(ctx, "friends", localapi.NewInvite{Uses: 9})
	w.check(err)
	for _, d := range members[1:] {
		_, err := d.Client.JoinGroup(ctx, i.Link)
		w.check(err)
	}
	_, err = hub.ChangeGroup(ctx, "friends", localapi.GroupChange{Change: localapi.ChangeRole, Peer: members[1].ID, Role: "admin"})
	w.check(err)
	w.until(func() string {
		g, err := hub.Group(ctx, "friends")
		w.check(err)
		if g.Shadow == "" || g.Candidate == "" || len(g.Members) != len(members) {
			return fmt.Sprintf("the group is %+v", g)
		}
		return ""
	})
}
