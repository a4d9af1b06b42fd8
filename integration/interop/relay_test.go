package interop

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/interop/bare"
	"github.com/tom-protocol/tom/node"
)

func TestBeatsAreAnsweredBothWays(t *testing.T) {
	t.Parallel()
	m := meet(t, "main")
	if err := m.peer.Host.Connect(m.ctx, m.info); err != nil {
		t.Fatal(err)
	}
	if _, err := m.peer.Greet(m.ctx, m.info.ID); err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	a, err := m.peer.Beat(m.ctx, m.info.ID, bare.Beat{Counter: 1 << 63, Load: 7, Time: uint64(asked.UnixMilli())})
	if err != nil || a.Counter != 1<<63 {
		t.Fatalf("answered %+v, %v", a, err)
	}
	if off := time.UnixMilli(int64(a.Time)).Sub(asked).Abs(); off > time.Minute {
		t.Errorf("the clock in the answer is off by %v", off)
	}

	// Somebody waits for the peer's receipt, which does not come.
	if _, err := m.node.SendTo(m.ctx, node.Peer(m.peer.Key()), node.Text("are you there?")); err != nil {
		t.Fatal(err)
	}
	first, second := next(t, m, m.peer.Beats), next(t, m, m.peer.Beats)
	if first.Counter == second.Counter {
		t.Errorf("two beats with the counter %d", first.Counter)
	}
}

func TestFriendsTellEachOtherWhereTheyAre(t *testing.T) {
	t.Parallel()
	m := meet(t, "interop")
	link := fmt.Sprintf("tom:peer/%s?a=%s", m.peer.Host.ID(), m.peer.Host.Addrs()[0])
	if _, err := m.node.AddContact(link, "bare"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.node.Connect(m.ctx, m.address()); err != nil {
		t.Fatal(err)
	}
	key := m.node.Key()
	told := next(t, m, m.peer.Presences)
	if !told.Node.Equal(ed25519.PublicKey(key[:])) || len(told.Addrs) == 0 {
		t.Fatalf("told %+v", told)
	}
	if !slices.ContainsFunc(told.Addrs, func(b []byte) bool { return slices.Equal(b, m.info.Addrs[0].Bytes()) }) {
		t.Errorf("told %q, not %s", told.Addrs, m.info.Addrs[0])
	}
	if err := m.peer.TellWhere(m.ctx, m.info.ID); err != nil {
		t.Fatal(err)
	}
	// Frames of a stream are taken in one after the other.
	if _, err := m.peer.Beat(m.ctx, m.info.ID, bare.Beat{Counter: 1}); err != nil {
		t.Errorf("after a presence: %v", err)
	}
}

// reached is a node of ours that bare hosts are connected to, and have greeted.
func reached(t *testing.T, ctx context.Context, n *node.Node, hosts ...*bare.Peer) {
	t.Helper()
	for _, h := range hosts {
		if _, err := n.Connect(ctx, addressOf(h)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNodePassesOnBetweenBareHosts(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	relay, info := run(t, node.Config{Network: "main", Relay: "on", Backup: "off"})
	alice, bob := newBare(t, "main"), newBare(t, "main")
	reached(t, ctx, relay, alice, bob)

	var id [16]byte
	rand.Read(id[:])
	key := relay.Key()
	sent, env, err := alice.Seal(bob.Key(), bob.Hello(), id, "text/plain", []byte("over a relay"))
	if err != nil {
		t.Fatal(err)
	}
	if sent, err = bare.Via(sent, key[:]); err != nil {
		t.Fatal(err)
	}
	answer, err := alice.Send(ctx, info.ID, sent)
	if err != nil || answer != (bare.Answer{Digest: env.Digest16(), Code: bare.Taken}) {
		t.Fatalf("answered %+v, %v", answer, err)
	}
	got := next(t, &meeting{ctx: ctx}, bob.Messages)
	if string(got.Body) != "over a relay" || got.Envelope.Hops != 1 || len(got.Envelope.Via) != 0 {
		t.Errorf("received %q after %d hops, with %d to come", got.Body, got.Envelope.Hops, len(got.Envelope.Via))
	}

	// Of somebody who is not there it says so, as it keeps nothing for others.
	gone := newBare(t, "main")
	sent, env, err = alice.Seal(gone.Key(), gone.Hello(), id, "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err = alice.Send(ctx, info.ID, sent)
	if err != nil || answer != (bare.Answer{Digest: env.Digest16(), Code: bare.Refused, Reason: bare.NoRoute}) {
		t.Errorf("answered %+v, %v", answer, err)
	}
}

func TestNodesTalkOverABareRelay(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	relay := newBare(t, "main")
	relay.Relay = true
	alice, _ := run(t, node.Config{Network: "main"})
	bob, _ := run(t, node.Config{Network: "main"})
	reached(t, ctx, alice, relay)
	reached(t, ctx, bob, relay)

	id, err := alice.SendTo(ctx, bob.Key(), node.Text("through a stranger's hands"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := alice.Wait(ctx, id, node.Delivered)
	if err != nil || st.State != node.Delivered || st.Path != "relays" {
		trace, _ := alice.Trace(ctx, id)
		t.Fatalf("%v by %q (%s), %v: %+v", st.State, st.Path, st.Reason, err, trace.Attempts)
	}
	inbox, err := bob.Inbox(node.Query{})
	if err != nil || len(inbox) != 1 || string(inbox[0].Body) != "through a stranger's hands" {
		t.Fatalf("inbox %+v, %v", inbox, err)
	}
}
