package natlab

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tom-protocol/tom/integration/needs"
)

// lab is an internet of its own, to which sites can be added at any time.
type lab struct {
	name string // what its namespaces' names begin with
	hub  *hub

	mu    sync.Mutex
	world *network
	nodes []*node

	bootstrap []string // what a daemon is told of the others at its start
}

// accessDelay is what a frame loses on an access link, one way: 40 ms for a
// round trip between two of them.
const accessDelay = 10 * time.Millisecond

var labs atomic.Uint32

// newLab makes an empty lab, which is removed at the end of the test.
func newLab(t *testing.T) *lab {
	t.Helper()
	needs.Root(t)
	needs.Tools(t, "ip", "nft", "conntrack")
	if err := hireUndertaker(); err != nil {
		t.Fatal(err)
	}
	l := &lab{name: fmt.Sprintf("%s%d-", prefix, labs.Add(1)), hub: newHub(accessDelay), world: internet()}
	t.Cleanup(func() {
		l.hub.close()
		if err := l.remove(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// town is some sites of a lab.
type town []*node

// site finds a site by its name. To ask for one that was not named is a mistake
// in the test.
func (w town) site(name string) *node {
	for _, n := range w {
		if n.name == name {
			return n
		}
	}
	panic("no site is called " + name)
}

// add builds sites.
func (l *lab) add(t *testing.T, sites ...site) town {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	before := len(l.nodes)
	for _, s := range sites {
		l.place(s, l.world)
	}
	added := town(l.nodes[before:])
	if err := l.build(added); err != nil {
		t.Fatal(err)
	}
	return added
}

// place finds namespaces and addresses for a site and all inside.
func (l *lab) place(s site, up *network) {
	n := &node{site: s, number: len(l.nodes), up: up, addrs: up.attach()}
	n.namespace = fmt.Sprintf("%s%d", l.name, n.number)
	l.nodes = append(l.nodes, n)
	if !s.router {
		return
	}
	n.down = home(n)
	for _, in := range s.inside {
		l.place(in, n.down)
	}
}

func (l *lab) build(nodes town) error {
	var namespaces, cables strings.Builder
	for _, n := range nodes {
		fmt.Fprintln(&namespaces, "netns add", n.namespace)
		if n.up.gateway != nil {
			fmt.Fprintln(&cables, n.cable())
		}
	}
	if _, err := command(namespaces.String(), "ip", "-batch", "-"); err != nil {
		return err
	}
	for _, n := range nodes {
		if n.up.gateway != nil {
			continue
		}
		tap, err := openTAP(n.namespace, "up0")
		if err != nil {
			return err
		}
		l.hub.plug(tap)
	}
	if _, err := command(cables.String(), "ip", "-batch", "-"); err != nil {
		return err
	}
	return l.configureAll(nodes)
}

func (l *lab) configureAll(nodes town) error {
	var g errgroup.Group
	g.SetLimit(4)
	for _, n := range nodes {
		g.Go(func() error { return n.configure(nodes) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return l.route(nodes)
}

func (l *lab) remove() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, n := range l.nodes {
		fmt.Fprintln(&b, "netns delete", n.namespace)
	}
	_, err := command(b.String(), "ip", "-batch", "-")
	return err
}
