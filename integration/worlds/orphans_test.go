package worlds

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node"
)

// orphans is how many nodes are left when the one they all met over is gone.
const orphans = 20

// Twenty nodes know of each other because of a twenty-first, which then is gone
// for good. Ten of them are switched off, and come back an hour later, five of
// those somewhere else.
func TestWithNoBootstrapLeftAllFindEachOtherAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		bootstrap := w.start(1, node.Config{Name: "bootstrap"})
		cfg := func(i int) node.Config {
			c := node.Config{Name: fmt.Sprint("orphan ", i), Bootstrap: []string{bootstrap.Link()}}
			if i%2 == 0 {
				c.DataDir = t.TempDir()
			}
			return c
		}
		all, cfgs := make([]living, orphans), make([]node.Config, orphans)
		for i := range all {
			cfgs[i] = cfg(i)
			all[i] = w.start(10+i, cfgs[i])
		}
		virtual.Pass(2 * time.Minute)
		w.cut(1)
		bootstrap.stop()
		for i := 0; i < orphans; i += 2 {
			all[i].stop()
		}
		virtual.Pass(time.Hour)
		for i := 0; i < orphans; i += 2 {
			at := 10 + i
			if i%4 == 0 {
				at += 100 // nobody knows it there
			}
			all[i] = w.start(at, cfgs[i])
		}
		virtual.Pass(time.Minute)
		for i, a := range all {
			for j, b := range all {
				if i != j && !a.finds(t, b) {
					t.Errorf("%d does not find %d", i, j)
				}
			}
		}
		for i, a := range all {
			for _, step := range []int{1, 8} {
				j := (i + step) % orphans
				a.send(t, all[j].ID(), fmt.Sprintf("from %d to %d", i, j)) // by its id alone
			}
		}
	})
}

// finds says that one of the sources knows where a node is now.
func (l living) finds(t *testing.T, other living) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, answers, err := l.Find(ctx, other.ID())
	if err != nil {
		t.Fatal(err)
	}
	now := other.Addrs()[0]
	for a := range answers {
		if slices.ContainsFunc(a.Addrs, now.Equal) {
			return true
		}
	}
	return false
}
