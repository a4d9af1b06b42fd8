package route

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// key is the peer that a letter stands for.
func key(name byte) (k protocols.Key) {
	k[0] = name
	return k
}

func keys(names string) (all []protocols.Key) {
	for _, n := range []byte(names) {
		all = append(all, key(n))
	}
	return all
}

func names(all []protocols.Key) string {
	var b strings.Builder
	for _, k := range all {
		b.WriteByte(k[0])
	}
	return b.String()
}

// among says who is one of the letters.
func among(letters string) func(protocols.Key) bool {
	return func(k protocols.Key) bool { return strings.IndexByte(letters, k[0]) >= 0 }
}

// back says that everybody's envelopes came by the peer that a letter names.
func back(letter string) func(protocols.Key) (protocols.Key, bool) {
	return func(protocols.Key) (k protocols.Key, ok bool) {
		if letter == "" {
			return k, false
		}
		return key(letter[0]), true
	}
}

// line is one case of the script: who an envelope of A for B was sent by, with
// what path, at relay R.
type line struct {
	what, from, to, via, by string
	hops                    uint8
	connected, known, back  string
	idle, holds             bool
}

var script = []line{
	{what: "for me", to: "R", by: "A"},
	{what: "for me, at the last hop", to: "R", by: "S", hops: 4},
	{what: "for me, with relays left that somebody wrote there", to: "R", via: "ST", by: "S"},
	{what: "for me, though I relay for nobody", to: "R", by: "S", idle: true},

	{what: "recipient connected, no via", by: "A", connected: "B"},
	{what: "I am next and last, recipient connected", via: "R", by: "A", connected: "B"},
	{what: "I am next, another behind me, recipient connected: the shorter way", via: "RS", by: "A", connected: "BS"},
	{what: "via names others, recipient connected", via: "ST", by: "A", connected: "B"},
	{what: "I am next, another behind me", via: "RS", by: "A", connected: "S"},
	{what: "three behind me", via: "RSTU", by: "A", connected: "S"},
	{what: "the next is known and not connected", via: "RS", by: "A", known: "S"},
	{what: "the recipient is known and not connected", via: "R", by: "A", known: "B"},
	{what: "the recipient stands in via itself", via: "RB", by: "A", known: "B"},
	{what: "the last hop but one", via: "R", by: "S", hops: 3, connected: "B"},

	{what: "the path ends, and the recipient's own came by T", via: "R", by: "A", connected: "T", known: "B", back: "T"},
	{what: "the path is broken, and the recipient's own came by T", via: "RS", by: "A", connected: "T", back: "T"},
	{what: "the recipient's own came by T, but there is a path", via: "RS", by: "A", connected: "ST", back: "T"},
	{what: "the recipient's own came by who brings this", via: "R", by: "T", connected: "T", back: "T"},
	{what: "the recipient's own came by the author", via: "R", by: "T", connected: "AT", back: "A"},
	{what: "the recipient's own came by T, who has gone", via: "R", by: "A", back: "T"},

	{what: "no via, recipient away", by: "A"},
	{what: "I am last, recipient unknown", via: "R", by: "A"},
	{what: "the next is not known", via: "RS", by: "A", known: "B"},
	{what: "forged: via begins with another", via: "SR", by: "A", connected: "S", known: "B"},
	{what: "forged: I come twice", via: "RSR", by: "A", connected: "S"},
	{what: "forged: another comes twice", via: "RSTS", by: "A", connected: "S"},
	{what: "forged: back to who sent it", via: "RS", by: "S", connected: "S"},
	{what: "forged: through the author", via: "RSA", by: "T", connected: "S"},
	{what: "my own comes back", from: "R", via: "RS", by: "S", connected: "BS"},
	{what: "the recipient hands over what is its own", by: "B", connected: "B"},
	{what: "at the fourth hop", via: "R", by: "S", hops: 4, connected: "B"},
	{what: "hops beyond all bounds", via: "R", by: "S", hops: 255, connected: "B"},
	{what: "I relay for nobody", via: "R", by: "A", connected: "B", idle: true},

	{what: "a holder, recipient connected", by: "A", connected: "B", holds: true},
	{what: "a holder, recipient away", by: "A", holds: true},
	{what: "a holder that does not relay, recipient connected", by: "A", connected: "B", holds: true, idle: true},
	{what: "a holder, at the fourth hop", by: "A", hops: 4, holds: true},
}

func (l line) decide() Decision {
	from, to := l.from, l.to
	if from == "" {
		from = "A"
	}
	if to == "" {
		to = "B"
	}
	e := &envelope.Envelope{From: key(from[0]), To: key(to[0]), Via: keys(l.via), Hops: l.hops}
	return Decide(e, View{
		Me: key('R'), From: key(l.by[0]),
		Connected: among(l.connected), Known: among(l.known), Finds: among(l.known), Back: back(l.back),
		Carries: !l.idle, Holds: l.holds,
	})
}

func (d Decision) text() string {
	switch d.Action {
	case Forward:
		return fmt.Sprintf("forward to %s, via [%s], hops %d", names([]protocols.Key{d.Next}), names(d.Via), d.Hops)
	case Reject:
		return "reject: " + d.Reason.String()
	}
	return d.Action.String()
}

// TestDecisionsAreWhatTheScriptSays holds every decision against a text that
// can be read as the rules.
func TestDecisionsAreWhatTheScriptSays(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	for _, l := range script {
		fmt.Fprintf(&b, "%-68s %s\n", l.what, l.decide().text())
	}
	const path = "testdata/decisions.txt"
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	held, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(held, b.Bytes()) {
		t.Errorf("decided:\n%s\nand %s says:\n%s", b.Bytes(), path, held)
	}
}

func TestDecisionLeavesTheEnvelopeAlone(t *testing.T) {
	t.Parallel()
	e := &envelope.Envelope{From: key('A'), To: key('B'), Via: keys("RST")}
	d := Decide(e, View{Me: key('R'), From: key('A'), Connected: among("S"), Known: among(""), Finds: among(""), Back: back(""), Carries: true})
	d.Via[0] = key('X')
	if names(e.Via) != "RST" || e.Hops != 0 {
		t.Errorf("the envelope became via %s, hops %d", names(e.Via), e.Hops)
	}
}

// Whatever a forger writes into via, and whoever is connected to whom, honest
// relays make at most four copies of what it sent once, and none goes back to
// the relay it came from.
func TestForgedPathsMakeAtMostFourCopies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const all = "ABRSTUVW"
		edge := func(from, to byte) string { return string([]byte{from, to}) }
		connected := map[string]bool{}
		for i := range all {
			for j := range all[:i] {
				if rapid.Bool().Draw(t, edge(all[i], all[j])) {
					connected[edge(all[i], all[j])], connected[edge(all[j], all[i])] = true, true
				}
			}
		}
		letters := rapid.SliceOfN(rapid.SampledFrom([]byte(all)), 0, envelope.MaxHops).Draw(t, "via")
		e := &envelope.Envelope{
			From: key('A'), To: key('B'), Via: keys(string(letters)),
			Hops: rapid.Uint8Range(0, 5).Draw(t, "hops"),
		}
		ways := rapid.StringOfN(rapid.SampledFrom([]rune(all)), 4, 4, -1).Draw(t, "ways back")
		known := rapid.Bool().Draw(t, "known")
		by, at := byte('V'), rapid.SampledFrom([]byte("RSTU")).Draw(t, "first")
		copies := 0
		for {
			me := at
			d := Decide(e, View{
				Me: key(me), From: key(by), Carries: true,
				Connected: func(k protocols.Key) bool { return connected[edge(me, k[0])] },
				Known:     func(protocols.Key) bool { return known },
				Finds:     func(protocols.Key) bool { return known },
				Back:      back(ways[strings.IndexByte(all, me)%len(ways):][:1]),
			})
			if d.Action != Forward {
				return
			}
			if copies++; copies > envelope.MaxHops {
				t.Fatalf("%d copies", copies)
			}
			if d.Next[0] == me || d.Next[0] == by {
				t.Fatalf("%c sends it back to %c", me, d.Next[0])
			}
			if d.Hops != min(e.Hops, envelope.MaxHops)+1 || len(d.Via) > max(len(e.Via)-1, 0) || len(d.Via) > 0 && d.Via[0] != d.Next {
				t.Fatalf("from via %s, hops %d to %s", names(e.Via), e.Hops, d.text())
			}
			e.Via, e.Hops = d.Via, d.Hops
			by, at = me, d.Next[0]
		}
	})
}
