package worlds

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols/delivery"
)

// relay runs a node at 127.0.0.n that relays for whoever asks.
func (w *world) relay(n int) living {
	return w.start(n, node.Config{Name: fmt.Sprintf("relay %d", n), Relay: "on", NoDHT: true, NoGossip: true})
}

// client runs a node at 127.0.0.n that knows nobody.
func (w *world) client(n int, name string) living {
	return w.start(n, node.Config{Name: name, NoDHT: true, NoGossip: true})
}

// connect connects two nodes.
func connect(t *testing.T, a, b living) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := a.Connect(ctx, b.Link()); err != nil {
		t.Fatal(err)
	}
}

// bare is a contact link with nothing but a key.
func bare(l living) string { return identity.Link{Peer: l.Key()}.String() }

// behind is a contact link whose only address is a circuit of a relay that it
// does not say how to reach.
func behind(t *testing.T, l, relay living) string {
	t.Helper()
	circuit, err := multiaddr.NewMultiaddr("/p2p/" + relay.ID() + "/p2p-circuit")
	if err != nil {
		t.Fatal(err)
	}
	return identity.Link{Peer: l.Key(), Addrs: []multiaddr.Multiaddr{circuit}}.String()
}

// sendBy sends text and wants the receipt within a time, and the message to have
// gone by these relays.
func (l living) sendBy(t *testing.T, to, text string, within time.Duration, relays ...living) {
	t.Helper()
	begun := time.Now()
	st := l.send(t, to, text)
	if took := time.Since(begun); took > within {
		tr, _ := l.Trace(t.Context(), st.ID)
		t.Errorf("it took %v; %s", took, l.way(tr))
	}
	tr, err := l.Trace(t.Context(), st.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range tr.Attempts {
		if slices.EqualFunc(a.Via, relays, func(k node.Peer, r living) bool { return k == r.Key() }) && len(relays) > 0 {
			return
		}
	}
	t.Errorf("it did not go by these relays: %s", l.way(tr))
}

// way tells a message's attempts in a line each, with the relays' names.
func (l living) way(tr node.Trace) (text string) {
	for _, a := range tr.Attempts {
		text += fmt.Sprintf("\n%v %s", a.At.Format("05.000"), a.Path)
		for _, k := range a.Via {
			text += " " + l.NameOf(k)
		}
		text += ": " + a.Result
	}
	return text
}

// How long a message may take to its receipt: to somebody of whom no prekey is
// known, for which a sender looks for three seconds, and to somebody who has
// answered before.
const (
	strange = 4 * time.Second
	quick   = time.Second
)

// Alice and bob know nothing of each other's addresses, and both are connected to
// one relay.
func TestMessageAndReceiptGoByTheRelayOfBoth(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		alice, bob, r := w.client(1, "alice"), w.client(2, "bob"), w.relay(3)
		w.part(1, 2)
		connect(t, alice, r)
		connect(t, bob, r)
		alice.sendBy(t, bare(bob), "first", strange, r)
		alice.sendBy(t, bare(bob), "second", quick, r)
		bob.sendBy(t, bare(alice), "and back", strange, r)
		bob.sendBy(t, bare(alice), "and again", quick, r)
		if relays := alice.Relays(); len(relays) != 1 || relays[0].Record.Proved == 0 {
			t.Errorf("alice knows these relays: %+v", relays)
		}
	})
}

// Bob is behind a relay that alice cannot reach, and hers can.
func TestMessageGoesByAChainOfTwo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		alice, bob, r, s := w.client(1, "alice"), w.client(2, "bob"), w.relay(3), w.relay(4)
		w.part(1, 2)
		w.part(1, 4)
		w.part(2, 3)
		connect(t, alice, r)
		connect(t, bob, s)
		connect(t, r, s)
		alice.sendBy(t, behind(t, bob, s), "by two", strange, r, s)
		// The receipt has shown the relay where bob is.
		alice.sendBy(t, behind(t, bob, s), "and again", quick, r)
	})
}

// As far as an envelope can go: four relays, each of which sees but the next.
func TestMessageGoesByAChainOfFour(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		all := []living{w.client(1, "alice"), w.relay(2), w.relay(3), w.relay(4), w.relay(5), w.client(6, "bob")}
		for i := range all {
			for j := range i {
				if j+1 == i {
					connect(t, all[i], all[j])
				} else {
					w.part(i+1, j+1)
				}
			}
		}
		alice, bob := all[0], all[5]
		for i := 2; i < 5; i++ { // each relay's address is a circuit of the one before
			if _, err := alice.AddContact(behind(t, all[i], all[i-1]), fmt.Sprintf("relay-%d", i)); err != nil {
				t.Fatal(err)
			}
		}
		alice.sendBy(t, behind(t, bob, all[4]), "by four", strange, all[1:5]...)
	})
}

// A relay that finds the recipient gone keeps the envelope itself, though its
// sender is gone too before it has asked anybody to. One who stays is shown what
// the relay has signed.
func TestRelayKeepsWhatItCannotDeliver(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		cfg := node.Config{Name: "bob", DataDir: t.TempDir(), NoDHT: true, NoGossip: true}
		alice, bob, r := w.client(1, "alice"), w.start(2, cfg), w.relay(3)
		w.part(1, 2)
		connect(t, alice, r)
		connect(t, bob, r)
		alice.sendBy(t, bare(bob), "first", strange, r)
		bob.stop()
		virtual.Pass(5 * time.Second)
		id, err := alice.SendTo(t.Context(), bob.Key(), node.Text("are you there"))
		if err != nil {
			t.Fatal(err)
		}
		virtual.Pass(5 * time.Second)
		trace, err := alice.Trace(t.Context(), id)
		kept := slices.IndexFunc(trace.Attempts, func(a delivery.Attempt) bool { return a.Result == "kept there" && a.Path == "relays" })
		if err != nil || kept < 0 {
			t.Fatalf("%v, %s", err, alice.way(trace))
		}
		if len(trace.Holders) != 1 || trace.Holders[0].Key != r.Key() || trace.Holders[0].End.IsZero() {
			t.Errorf("holders %+v", trace.Holders)
		}
		virtual.Pass(5 * time.Minute) // ways that have failed are tried again
		if _, err := alice.SendTo(t.Context(), bob.Key(), node.Text("while you were away")); err != nil {
			t.Fatal(err)
		}
		virtual.Pass(900 * time.Millisecond) // a little later she would have asked holders
		w.cut(1)
		virtual.Pass(5 * time.Second)
		if m := r.Mailbox(); m.Copies != 2 || m.Recipients != 1 {
			t.Errorf("the relay keeps %+v", m)
		}
		again := w.start(4, cfg)
		connect(t, again, r)
		virtual.Pass(time.Second)
		if got := again.bodies(t); got["while you were away"] != 1 || got["are you there"] != 1 {
			t.Errorf("received %v", got)
		}
	})
}
