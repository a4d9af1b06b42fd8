//go:build linux

package chat

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/tom-protocol/tom/integration/needs"
	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/integration/proc/proctest"
	"github.com/tom-protocol/tom/node/localapi"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { os.Exit(proctest.Main(m)) }

// world is some daemons, and a terminal for their people.
type world struct {
	*proctest.Machine
	tty *terminal
}

func newWorld(t *testing.T) *world {
	t.Helper()
	needs.Tools(t, "tmux")
	return &world{proctest.New(t), newTerminal(t)}
}

// acquaint makes each a contact of the other.
func (w *world) acquaint(a, b *proc.Daemon) {
	w.T.Helper()
	for _, d := range [][2]*proc.Daemon{{a, b}, {b, a}} {
		_, err := d[0].Client.AddContact(w.T.Context(), d[1].Link, d[1].Name)
		w.Check(err)
	}
}

// befriend makes a group of daemons, and waits until it has all that takes over
// when the first, its hub, goes.
func (w *world) befriend(members ...*proc.Daemon) {
	w.T.Helper()
	ctx, hub := w.T.Context(), members[0].Client
	_, err := hub.CreateGroup(ctx, localapi.NewGroup{Name: "friends"})
	w.Check(err)
	i, err := hub.InviteToGroup(ctx, "friends", localapi.NewInvite{Uses: 9})
	w.Check(err)
	for _, d := range members[1:] {
		_, err := d.Client.JoinGroup(ctx, i.Link)
		w.Check(err)
	}
	_, err = hub.ChangeGroup(ctx, "friends", localapi.GroupChange{Change: localapi.ChangeRole, Peer: members[1].ID, Role: "admin"})
	w.Check(err)
	w.Until(patience, func() string {
		g, err := hub.Group(ctx, "friends")
		w.Check(err)
		if g.Shadow == "" || g.Candidate == "" || len(g.Members) != len(members) {
			return fmt.Sprintf("the group is %+v", g)
		}
		return ""
	})
}
