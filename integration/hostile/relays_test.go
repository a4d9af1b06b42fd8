package hostile

import (
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/heartbeat"
)

// relaying runs a node that relays for whoever asks.
func relaying(t *testing.T, name string) *living {
	t.Helper()
	return run(t, node.Config{Name: name, Relay: "on"})
}

// guest is a villain that others take for a node, and what it is sent.
type guest struct {
	*villain
	frames chan *envelope.Envelope
	answer func(e *envelope.Envelope) []byte // nil: none
}

// visits has a new villain connect to relays.
func visits(t *testing.T, relays ...*living) *guest {
	t.Helper()
	g := &guest{villain: newVillain(t), frames: make(chan *envelope.Envelope, 4096)}
	g.host.SetStreamHandler(protocols.EnvelopeProtocol, g.listen)
	for _, r := range relays {
		g.greet(r.Link(), g.hello())
	}
	return g
}

// listen keeps what comes, and answers as it likes.
func (g *guest) listen(s network.Stream) {
	p := pipeOf(g.t, s)
	for {
		frame, err := p.next()
		if err != nil {
			return
		}
		e, err := envelope.Parse(frame)
		if err != nil {
			g.t.Errorf("a relay sent %v", err)
			return
		}
		g.frames <- e
		if g.answer == nil {
			continue
		}
		if a := g.answer(e); a != nil {
			p.send(a)
		}
	}
}

func sayTaken(e *envelope.Envelope) []byte {
	return envelope.Answer{Digest: e.Digest().Short(), Code: envelope.Taken}.Append(nil)
}

func (g *guest) recipient() envelope.Recipient {
	g.t.Helper()
	r, err := envelope.IdentityRecipient(g.Public())
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}

// next is what came, within the test's patience.
func (g *guest) next() *envelope.Envelope {
	g.t.Helper()
	select {
	case e := <-g.frames:
		return e
	case <-time.After(patience):
		g.t.Fatal("nothing came")
	}
	return nil
}

// nothing wants nothing to come for a while.
func (g *guest) nothing(during time.Duration) {
	g.t.Helper()
	select {
	case e := <-g.frames:
		g.t.Fatalf("there came %v, via %v, hops %d", e.ID, e.Via, e.Hops)
	case <-time.After(during):
	}
}

// kept stands for the reason of what is not refused, but kept by the relay.
const kept envelope.Reason = 255

// over sets the path of an envelope.
func over(e *envelope.Envelope, hops uint8, via ...protocols.Key) *envelope.Envelope {
	e.Via, e.Hops = via, hops
	return e
}

func TestForgedPathsAreContained(t *testing.T) {
	t.Parallel()
	r := relaying(t, "relay")
	mallory, bob, carol := newVillain(t), visits(t, r), visits(t)
	mallory.greet(r.Link(), mallory.hello())
	bob.answer = sayTaken
	away, me, other := carol.Public(), r.Key(), mallory.Public()
	stranger := newAuthor(t).Public()

	for name, c := range map[string]struct {
		to     *guest
		hops   uint8
		via    []protocols.Key
		reason envelope.Reason // zero: it is passed on; kept: it is not refused
	}{
		"no path, recipient connected":       {bob, 0, nil, 0},
		"I am the path":                      {bob, 0, []protocols.Key{me}, 0},
		"a path past me":                     {bob, 0, []protocols.Key{stranger}, 0},
		"a detour behind me":                 {bob, 0, []protocols.Key{me, stranger}, 0},
		"three hops behind it":               {bob, 3, []protocols.Key{me}, 0},
		"four hops behind it":                {bob, 4, []protocols.Key{me}, envelope.ReasonHops},
		"hops that no path has":              {bob, 200, []protocols.Key{me}, envelope.ReasonHops},
		"recipient away":                     {carol, 0, []protocols.Key{me}, kept},
		"recipient away, path past me":       {carol, 0, []protocols.Key{bob.Public(), me}, envelope.ReasonNoRoute},
		"recipient away, next unknown":       {carol, 0, []protocols.Key{me, stranger}, envelope.ReasonNoRoute},
		"back to its author":                 {carol, 0, []protocols.Key{me, other}, envelope.ReasonNoRoute},
		"the recipient itself is the detour": {carol, 0, []protocols.Key{me, away}, kept},
	} {
		p := mallory.envelopes(r.Link())
		e := over(mallory.signed(t, c.to.recipient(), name), c.hops, c.via...)
		p.send(e.Append(nil))
		if c.reason == kept {
			p.wantAnswer(e, envelope.Stored, 0)
			p.close()
			continue
		}
		if c.reason != 0 {
			p.wantAnswer(e, envelope.Refused, c.reason)
			p.close()
			continue
		}
		p.wantAnswer(e, envelope.Taken, 0)
		if got := bob.next(); got.Digest() != e.Digest() || len(got.Via) != 0 || got.Hops != min(c.hops, 4)+1 {
			t.Errorf("%s: bob got via %v, hops %d", name, got.Via, got.Hops)
		}
		p.close()
	}

	if m := r.Mailbox(); m.Copies != 2 || m.Recipients != 1 {
		t.Errorf("the relay keeps %+v", m)
	}

	// A path that names a relay twice is no envelope at all.
	p := mallory.envelopes(r.Link())
	p.send(over(mallory.signed(t, bob.recipient(), "twice"), 0, me, stranger, me).Append(nil))
	p.wantReset()
	bob.nothing(100 * time.Millisecond)
}

func TestForgeryIsNotPassedOn(t *testing.T) {
	t.Parallel()
	r := relaying(t, "relay")
	mallory, bob := newVillain(t), visits(t, r)
	mallory.greet(r.Link(), mallory.hello())
	e := mallory.signed(t, bob.recipient(), "not mine")
	e.Proof[10] ^= 1
	p := mallory.envelopes(r.Link())
	p.send(e.Append(nil))
	p.wantReset()
	bob.nothing(200 * time.Millisecond)
	if n := r.counter("tom_relay_carried_total") + r.counter("tom_relay_refused_total"); n != 0 {
		t.Errorf("the relay had to do with it %v times", n)
	}
}

// Relays that alice's messages come to first: each says of itself that it relays,
// and keeps all it gets. None of them costs a message, and what they did is
// counted.
func TestBadRelaysAreRoutedAround(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(e *envelope.Envelope) []byte
		blamed func(why node.Explanation) bool
	}{
		"says nothing": {nil, func(why node.Explanation) bool { return why.Silent > 0.9 }},
		"says taken":   {sayTaken, func(why node.Explanation) bool { return why.Lost > 0.9 }},
		"delays": {func(e *envelope.Envelope) []byte {
			<-time.After(5 * time.Second)
			return sayTaken(e)
		}, func(why node.Explanation) bool { return why.Silent > 0.9 }},
		"refuses for the recipient": {func(e *envelope.Envelope) []byte {
			return envelope.Answer{Digest: e.Digest().Short(), Code: envelope.Refused, Reason: envelope.ReasonPolicy}.Append(nil)
		}, func(node.Explanation) bool { return true }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			quiet := node.Config{NoDHT: true, NoGossip: true}
			alice, bob := run(t, quiet), run(t, quiet)
			bad := visits(t)
			bad.answer = c.answer
			hello := bad.hello()
			hello.Roles = []uint8{heartbeat.RoleRelay}
			bad.greet(alice.Link(), hello)
			bad.greet(bob.Link(), hello)

			bare := identity.Link{Peer: bob.Key()}.String()
			id := alice.accept(bare, "by whatever way")
			if bad.next().To != bob.Key() {
				t.Fatal("the relay got another's envelope")
			}
			good := run(t, node.Config{Relay: "on", NoDHT: true, NoGossip: true})
			for _, l := range []*living{alice, bob} {
				if _, err := l.Connect(t.Context(), good.Link()); err != nil {
					t.Fatal(err)
				}
			}
			alice.delivered(id)
			for range 5 {
				alice.delivered(alice.accept(bare, "and again"))
			}
			why, err := alice.Why(identity.PeerIDOf(bad.Public()).String())
			if err != nil || !c.blamed(why) {
				t.Errorf("alice says of it %+v, %v", why, err)
			}
			if n := len(bad.frames); n > 2 {
				t.Errorf("it got %d copies more", n)
			}
			why, err = alice.Why(good.ID())
			if err != nil || why.Proved < 3 || why.Weight <= 1 {
				t.Errorf("and of the good one %+v, %v", why, err)
			}
		})
	}
}

// Two villains at the ends of a chain of honest relays send one envelope in a
// circle, hops at zero each time: in the two seconds in which a relay remembers
// it, each relay passes it on once, whatever the path says.
func TestLoopMakesAtMostFourCopies(t *testing.T) {
	t.Parallel()
	var relays []*living
	var path []protocols.Key
	for _, name := range []string{"r", "s", "t"} {
		r := relaying(t, name)
		for _, other := range relays {
			if _, err := r.Connect(t.Context(), other.Link()); err != nil {
				t.Fatal(err)
			}
		}
		relays, path = append(relays, r), append(path, r.Key())
	}
	end := visits(t, relays...)
	away := newAuthor(t)
	to, err := envelope.IdentityRecipient(away.Public())
	if err != nil {
		t.Fatal(err)
	}

	// Around: r, s, t, the other villain, which begins anew at each of them.
	mallory := newVillain(t)
	begun := time.Now()
	e := mallory.signed(t, to, "around and around")
	var pipes []*pipe
	for _, r := range relays {
		mallory.greet(r.Link(), mallory.hello())
		pipes = append(pipes, mallory.envelopes(r.Link()))
	}
	pipes[0].send(over(e, 0, append(path[:3:3], end.Public())...).Append(nil))
	if got := end.next(); got.Hops != 3 || len(got.Via) != 1 {
		t.Errorf("it came with hops %d, via %v", got.Hops, got.Via)
	}
	for range 20 {
		for i, p := range pipes {
			p.send(over(e, 0, path[i], path[(i+1)%3], end.Public()).Append(nil))
		}
	}
	for _, p := range pipes { // all is answered, so all is decided
		for range 20 {
			if a := p.answer(e); a.Code == envelope.Taken {
				t.Errorf("answered %+v, though nobody took it", a)
			}
		}
	}
	var copies float64
	for _, r := range relays {
		copies += r.counter("tom_relay_forwarded_total")
	}
	rounds := 1 + float64(time.Since(begun)/(2*time.Second))
	if copies < 3 || copies > 3*rounds {
		t.Errorf("the relays passed it on %v times", copies)
	}
}

// A stranger has a relay send thousands of envelopes into a hole. What friends of
// the relay send each other goes on as if nothing was.
func TestFloodOfAStrangerLeavesARelaysFriendsTheirTurn(t *testing.T) {
	t.Parallel()
	r := relaying(t, "relay")
	hole, bob := visits(t, r), visits(t, r)
	bob.answer = sayTaken
	alice, mallory := newVillain(t), newVillain(t)
	alice.greet(r.Link(), alice.hello())
	mallory.greet(r.Link(), mallory.hello())
	if _, err := r.AddContact(identity.PeerIDOf(alice.Public()).String(), "alice"); err != nil {
		t.Fatal(err)
	}

	flood := mallory.envelopes(r.Link())
	go func() {
		for range 4000 {
			e := mallory.signed(t, hole.recipient(), "flood")
			flood.send(over(e, 0, r.Key()).Append(nil))
		}
	}()
	line := alice.envelopes(r.Link())
	waits := make([]time.Duration, 50)
	for i := range waits {
		e := over(alice.signed(t, bob.recipient(), "among friends"), 0, r.Key())
		begun := time.Now()
		line.send(e.Append(nil))
		line.wantAnswer(e, envelope.Taken, 0)
		waits[i] = time.Since(begun)
		if bob.next().Digest() != e.Digest() {
			t.Fatal("bob got another one")
		}
	}
	// Half of them: this machine may stop for a second now and then. Without a turn of
	// its own each would wait for the places that the hole holds, for seconds.
	slices.Sort(waits)
	if waits[len(waits)/2] > time.Second {
		t.Errorf("a friend waited %v", waits)
	}
	codes := map[envelope.Code]int{}
	for range 4000 {
		a, err := envelope.ParseAnswer(flood.read())
		if err != nil {
			t.Fatal(err)
		}
		codes[a.Code]++
	}
	t.Logf("a friend waited %v, %v at most; the flood was answered busy %d times, refused %d", waits[len(waits)/2], waits[len(waits)-1], codes[envelope.Busy], codes[envelope.Refused])
	if codes[envelope.Busy] < 1000 || codes[envelope.Taken] > 0 {
		t.Errorf("the flood was answered %v", codes)
	}
}
