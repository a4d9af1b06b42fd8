package worlds

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/integration/simnat"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node"
	nodehost "github.com/tom-protocol/tom/node/host"
)

// homes is an internet of whole nodes, most of them behind routers.
type homes struct {
	*simnat.Internet
	t         *testing.T
	bootstrap []string
	publics   map[string]*simnat.Plug // by id
}

// inHomes runs f in a bubble of its own, where n public nodes relay.
func inHomes(t *testing.T, publics int, f func(t *testing.T, w *homes)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &homes{Internet: simnat.New(hop), t: t, publics: make(map[string]*simnat.Plug)}
		t.Cleanup(w.Close)
		for i := range publics {
			ip := fmt.Sprintf("1.0.0.%d", i+1)
			plug := w.Plug(ip, nil)
			n := w.start(plug, ip, node.Config{Reachability: "public", Relay: "on"})
			w.bootstrap = append(w.bootstrap, n.Link())
			w.publics[n.ID()] = plug
		}
		virtual.Pass(time.Second)
		f(t, w)
	})
}

func (w *homes) start(at *simnat.Plug, ip string, cfg node.Config) living {
	w.t.Helper()
	cfg.Listen = []string{fmt.Sprintf("/ip4/%s/udp/8000/quic-v1", ip)}
	cfg.Bootstrap, cfg.NoMDNS, cfg.NoRendezvous, cfg.NoPortMap = w.bootstrap, true, true, true
	cfg.Host = func(c *nodehost.Config) { c.QUIC = append(c.QUIC, at.QUIC()...) }
	return live(w.t, cfg)
}

// home starts a node at ip behind a router.
func (w *homes) home(ip string, r *simnat.Router, cfg node.Config) living {
	w.t.Helper()
	return w.start(w.Plug(ip, r), ip, cfg)
}

// kill takes a public node off the net without a word.
func (w *homes) kill(id string) { w.publics[id].Move(w.Router("9.9.9.9")) }

// path is how a node is connected to another now.
func (l living) path(to living) string {
	for _, p := range l.Peers() {
		if p.Peer == to.Key() {
			return p.Path
		}
	}
	return "none"
}

func TestMessagesBetweenHomes(t *testing.T) {
	for name, c := range map[string]struct {
		alice, bob bool // behind a symmetric NAT
		byAddress  bool // alice's router lets in any port of those she spoke to
		path       string
	}{
		"both behind cones":                             {false, false, false, "direct"},
		"one behind a symmetric":                        {false, true, false, "relayed"},
		"one behind a symmetric, one let in by address": {false, true, true, "direct"},
		"both": {true, true, false, "relayed"},
	} {
		t.Run(name, func(t *testing.T) {
			inHomes(t, 3, func(t *testing.T, w *homes) {
				ra, rb := w.Router("2.0.0.1"), w.Router("2.0.0.2")
				ra.Symmetric, rb.Symmetric, ra.ByAddress = c.alice, c.bob, c.byAddress
				alice := w.home("10.1.0.2", ra, node.Config{Name: "alice"})
				bob := w.home("10.2.0.2", rb, node.Config{Name: "bob"})
				virtual.Pass(10 * time.Second)

				begun := time.Now()
				alice.send(t, bob.Link(), "hello")
				if took := time.Since(begun); took > time.Second {
					t.Errorf("the first message was delivered after %v", took)
				}
				virtual.Pass(time.Second)
				if got := alice.path(bob); got != c.path {
					t.Errorf("a second later the path is %s, want %s", got, c.path)
				}
				for i := range 20 {
					bob.send(t, alice.Link(), fmt.Sprint("answer ", i))
				}
			})
		})
	}
}

func TestNodeIsPublicOnceAStrangerHasCome(t *testing.T) {
	inHomes(t, 4, func(t *testing.T, w *homes) {
		full, restricted := w.Router("2.0.0.1"), w.Router("2.0.0.3")
		full.Full, restricted.ByAddress = true, true
		open, shut := w.home("10.1.0.2", full, node.Config{}), w.home("10.2.0.2", w.Router("2.0.0.2"), node.Config{})
		half := w.home("10.3.0.2", restricted, node.Config{})
		virtual.Pass(2 * time.Minute)
		for name, n := range map[string]living{"full cone": open, "cone": shut, "address-restricted": half} {
			n.wantPrivate(t, name)
		}
		virtual.Pass(4 * time.Minute) // now the addresses of two of them are on trial
		for i := range 2 {
			ip := fmt.Sprintf("10.%d.0.2", i+8)
			w.meets(ip, fmt.Sprintf("4.0.%d.1", i), map[string]living{"full cone": open, "cone": shut, "address-restricted": half})
		}
		virtual.Pass(time.Minute) // for the role
		if r := open.Reach(); r.Reachability != "public" || !r.Serving {
			t.Errorf("behind a full cone: %s, relays %v", r.Reachability, r.Serving)
		}
		shut.wantPrivate(t, "cone")
		half.wantPrivate(t, "address-restricted")
	})
}

// wantPrivate asserts that others come to a node by relays.
func (l living) wantPrivate(t *testing.T, name string) {
	t.Helper()
	if r := l.Reach(); r.Reachability != "private" || r.Serving || len(r.Relays) == 0 {
		t.Errorf("%s: %s, relays %v, %d reservations", name, r.Reachability, r.Serving, len(r.Relays))
	}
}

// meets has somebody who was never here before write to some, and come to them
// directly.
func (w *homes) meets(ip, outside string, others map[string]living) {
	w.t.Helper()
	n := w.home(ip, w.Router(outside), node.Config{})
	virtual.Pass(3 * time.Second)
	for name, o := range others {
		begun := time.Now()
		n.send(w.t, o.Link(), "hello")
		if took := time.Since(begun); took > time.Second {
			w.t.Errorf("%s: delivered after %v", name, took)
		}
		virtual.Until(w.t, 5*time.Second, time.Millisecond, "a direct path to "+name, func() bool { return n.path(o) == "direct" })
		w.t.Logf("%s: direct after %v", name, time.Since(begun))
	}
	virtual.Pass(time.Second)
}
