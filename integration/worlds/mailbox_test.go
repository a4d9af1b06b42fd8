package worlds

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/integration/simnat"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node"
	nodehost "github.com/tom-protocol/tom/node/host"
)

// TestMailIsFoundInTheDHT: bob comes back at another address and knows nobody any
// more but one node that keeps nothing for anybody. His holders, of whom he has
// never heard, offer nothing to the world and are on the net of nobody he knows;
// the DHT names them as those who have his mail. (They look for him too, but
// every half an hour by then.)
func TestMailIsFoundInTheDHT(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := simnat.New(hop)
		t.Cleanup(in.Close)
		place := func(ip string, cfg node.Config) living {
			cfg.Listen = []string{"/ip4/" + ip + "/udp/4001/quic-v1"}
			cfg.NoRendezvous, cfg.NoMDNS, cfg.NoPortMap, cfg.NoGossip = true, true, true, true
			plug := in.Plug(ip, nil)
			cfg.Host = func(c *nodehost.Config) { c.QUIC = append(c.QUIC, plug.QUIC()...) }
			return live(t, cfg)
		}
		hub := place("1.0.0.1", node.Config{Reachability: "public", Backup: "off", Relay: "off"})
		known := []string{hub.Link()}
		alice := place("1.1.0.1", node.Config{Name: "alice", Bootstrap: known})
		dir := t.TempDir()
		bob := place("1.2.0.1", node.Config{Name: "bob", Bootstrap: known, DataDir: dir})
		virtual.Pass(5 * time.Second)
		alice.send(t, bob.Link(), "before")
		bob.stop()
		if err := os.Remove(filepath.Join(dir, "peers.json")); err != nil {
			t.Fatal(err)
		}
		for i := range 3 { // bob has never met them
			keeper := place(fmt.Sprintf("1.%d.0.1", 10+i), node.Config{Reachability: "private", Bootstrap: known})
			connect(t, alice, keeper)
		}
		virtual.Pass(time.Minute)
		id, err := alice.SendTo(t.Context(), bob.Key(), node.Text("while you were away"))
		if err != nil {
			t.Fatal(err)
		}
		if st, err := alice.Wait(t.Context(), id, node.Stored); err != nil || st.State != node.Stored {
			t.Fatalf("%v, %v", st, err)
		}
		virtual.Pass(10 * time.Second) // they make it known
		alice.stop()
		virtual.Pass(5 * time.Hour)

		began := time.Now()
		bob = place("1.3.0.1", node.Config{Name: "bob", Bootstrap: known, DataDir: dir})
		virtual.Until(t, 15*time.Second, 10*time.Millisecond, "the message by the DHT", func() bool {
			return bob.bodies(t)["while you were away"] > 0
		})
		t.Logf("found %v after the start", time.Since(began))
	})
}

// TestAnAuthorThatComesBackGoesToItsHolders: alice is started again, and there are
// more nodes by now that would keep her message. Those who do are asked.
func TestAnAuthorThatComesBackGoesToItsHolders(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		dir, bob := t.TempDir(), w.client(2, "bob")
		before := make(map[string]bool)
		start := func() living {
			return w.start(1, node.Config{Name: "alice", DataDir: dir, NoDHT: true, NoGossip: true})
		}
		alice := start()
		connect(t, alice, bob)
		virtual.Pass(2 * time.Second)
		bob.stop()
		var all []living
		more := func() {
			for range 3 {
				keeper := w.start(3+len(all), node.Config{NoDHT: true, NoGossip: true})
				connect(t, alice, keeper)
				all = append(all, keeper)
			}
			virtual.Pass(5 * time.Second)
		}
		more()
		id, err := alice.SendTo(t.Context(), bob.Key(), node.Text("while you were away"))
		if err != nil {
			t.Fatal(err)
		}
		stored := func() node.Trace {
			t.Helper()
			virtual.Pass(20 * time.Second)
			trace, err := alice.Trace(t.Context(), id)
			if err != nil || trace.State != node.Stored || len(trace.Holders) != 3 {
				t.Fatalf("%+v, %v", trace, err)
			}
			return trace
		}
		for _, h := range stored().Holders {
			before[h.Key.String()] = true
		}
		alice.stop()
		virtual.Pass(time.Minute)
		alice = start()
		more()
		more()
		for _, k := range all[:3] {
			connect(t, alice, k)
		}
		for _, h := range stored().Holders {
			if !h.Live || h.End.IsZero() || !before[h.Key.String()] {
				t.Errorf("held by %+v", h)
			}
		}
	})
}

// TestWhoIsUpIsNoted: a node that runs notes for how long it sees its neighbours,
// and knows it after a restart.
func TestWhoIsUpIsNoted(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		dir := t.TempDir()
		alice := w.start(1, node.Config{Name: "alice", DataDir: dir, NoDHT: true, NoGossip: true})
		bob, carol := w.client(2, "bob"), w.client(3, "carol")
		connect(t, alice, bob)
		connect(t, alice, carol)
		virtual.Pass(time.Hour)
		carol.stop()
		virtual.Pass(time.Hour)
		alice.stop()
		raw, err := os.ReadFile(filepath.Join(dir, "peers.json"))
		if err != nil {
			t.Fatal(err)
		}
		var all []struct {
			ID string
			Up struct{ Connected time.Duration }
		}
		if err := json.Unmarshal(raw, &all); err != nil {
			t.Fatal(err)
		}
		got := make(map[string]time.Duration)
		for _, e := range all {
			got[e.ID] = e.Up.Connected
		}
		if up := got[bob.ID()]; up < 110*time.Minute || up > 2*time.Hour {
			t.Errorf("bob was seen up for %v", up)
		}
		if up := got[carol.ID()]; up < 50*time.Minute || up > 61*time.Minute {
			t.Errorf("carol was seen up for %v", up)
		}
	})
}
