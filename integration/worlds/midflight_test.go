package worlds

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/simnat"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/node/reach"
)

// A conversation goes on while the path moves from a relay to a direct one, the
// routers forget what they knew, one end moves to another network, and a relay
// dies.
func TestMidFlight(t *testing.T) {
	const messages = 2000
	inHomes(t, 3, func(t *testing.T, w *homes) {
		ra, rb := w.Router("2.0.0.1"), w.Router("2.0.0.2")
		alice, bob := w.traveller("10.1.0.2", ra, "alice"), w.home("10.2.0.2", rb, node.Config{Name: "bob"})
		virtual.Pass(3 * time.Second)
		befriend(t, alice.living, bob)

		ids := stream(t, alice.living, bob, messages, map[int]func(){
			messages / 4:     func() { ra.Forget(); rb.Forget() },
			messages / 2:     func() { alice.move("10.9.0.2", w.Router("2.0.0.9")) },
			messages * 3 / 4: func() { w.kill(alice.Reach().Relays[0].String()) },
		})
		ways := make(map[string]bool)
		for _, id := range ids {
			alice.wait(t, t.Context(), id)
			trace, err := alice.Trace(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range trace.Attempts {
				ways[a.Path] = true
			}
		}
		rows, err := bob.Inbox(node.Query{})
		if err != nil {
			t.Fatal(err)
		}
		once(t, rows, messages)
		gap := longestGap(rows)
		t.Logf("%d messages, longest gap %v, path now %s, ways %v", len(rows), gap, alice.path(bob), ways)
		if gap > 5*time.Second {
			t.Errorf("nothing arrived for %v", gap)
		}
		if !ways["relayed"] && !ways["relays"] || !ways["direct"] {
			t.Errorf("the path did not move: %v", ways)
		}
		virtual.Until(t, 30*time.Second, time.Millisecond, "a direct path again", func() bool { return alice.path(bob) == "direct" })
	})
}

// traveller is a node that moves.
type traveller struct {
	living
	plug *simnat.Plug
	at   *atomic.Pointer[netip.Addr]
}

func (w *homes) traveller(ip string, r *simnat.Router, name string) traveller {
	w.t.Helper()
	m := traveller{plug: w.Plug(ip, r), at: new(atomic.Pointer[netip.Addr])}
	m.put(ip)
	m.living = w.start(m.plug, ip, node.Config{Name: name, Uplink: func() reach.Uplink { return reach.Uplink{V4: *m.at.Load()} }})
	return m
}

func (m traveller) put(ip string) {
	a := netip.MustParseAddr(ip)
	m.at.Store(&a)
}

// move takes the node to another network.
func (m traveller) move(ip string, r *simnat.Router) {
	m.plug.Move(r)
	m.put(ip)
}

func befriend(t *testing.T, a, b living) {
	t.Helper()
	for _, pair := range [][2]living{{a, b}, {b, a}} {
		if _, err := pair[0].AddContact(pair[1].Link(), ""); err != nil {
			t.Fatal(err)
		}
	}
}

// stream sends a message every 10 ms, and has the blows fall before those that
// they are listed under.
func stream(t *testing.T, from, to living, messages int, blows map[int]func()) (ids []node.MessageID) {
	t.Helper()
	for i := range messages {
		if blow := blows[i]; blow != nil {
			blow()
		}
		id, err := from.SendTo(t.Context(), to.Key(), node.Text(fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
		virtual.Pass(10 * time.Millisecond)
	}
	return ids
}

// once asserts that each message arrived, and no second time.
func once(t *testing.T, rows []node.Received, want int) {
	t.Helper()
	seen := make(map[string]int)
	for _, r := range rows {
		seen[string(r.Body)]++
	}
	for i := range want {
		if n := seen[fmt.Sprint(i)]; n != 1 {
			t.Errorf("message %d arrived %d times", i, n)
		}
	}
}

// longestGap is the longest time in which nothing arrived.
func longestGap(rows []node.Received) (longest time.Duration) {
	for i := 1; i < len(rows); i++ {
		longest = max(longest, rows[i].Received.Sub(rows[i-1].Received))
	}
	return longest
}
