package stress

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/node/localapi"
)

func TestSpansAreASetOfNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s spans
		set := map[int]bool{}
		for _, n := range rapid.SliceOf(rapid.IntRange(0, 40)).Draw(t, "numbers") {
			if s.add(n) == set[n] {
				t.Fatalf("adding %d to %v says it was there: %v", n, s, !set[n])
			}
			set[n] = true
		}
		for n := range 42 {
			if s.has(n) != set[n] {
				t.Fatalf("%v has %d: %v", s, n, s.has(n))
			}
		}
		for i, span := range s {
			if span[0] > span[1] || i > 0 && s[i-1][1]+1 >= span[0] {
				t.Fatalf("%v could be shorter", s)
			}
		}
	})
}

func TestAProbeIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	p := Probe{Run: "r", From: "alice", To: "bob", N: 7}
	for _, size := range []int{0, 1, 100, 101, 5000, 200_000} {
		c := p.Content(size)
		body, err := c.Bytes()
		if err != nil || size > 60 && len(body) != size {
			t.Errorf("size %d: %d bytes, %v", size, len(body), err)
		}
		got, whole, err := ParseProbe(c)
		if err != nil || got != p || !whole {
			t.Errorf("size %d: %+v, %v, %v", size, got, whole, err)
		}
	}
}

func TestASpoiledProbeIsNotWhole(t *testing.T) {
	t.Parallel()
	p := Probe{Run: "r", From: "alice", To: "bob", N: 7}
	body, err := p.Content(500).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	body[len(body)-1] ^= 1
	if _, whole, err := ParseProbe(localapi.NewContent(ProbeType, body)); err != nil || whole {
		t.Errorf("whole %v, %v", whole, err)
	}
	if other := (Probe{Run: "r", From: "alice", To: "bob", N: 8}); slices.Equal(other.filling(100), p.filling(100)) {
		t.Error("two probes have the same filling")
	}
	for _, none := range []localapi.Content{
		localapi.NewContent("text/plain", body), localapi.NewContent(ProbeType, []byte("{}\n")),
		localapi.NewContent(ProbeType, nil),
		{Type: ProbeType, Body: "!", Encoding: "base64"},
	} {
		if _, _, err := ParseProbe(none); err == nil {
			t.Errorf("%+v is a probe", none)
		}
	}
}

func received(from string, c localapi.Content) localapi.Event {
	return localapi.Event{Kind: localapi.EventReceived, Peer: from, Message: &localapi.Received{From: from, Content: c}}
}

func TestAListenerTellsWhatItHas(t *testing.T) {
	t.Parallel()
	l := newListener(nil, t.Output())
	for _, n := range []int{1, 2, 3, 5, 3, 6} {
		l.noticed(received("alice", Probe{Run: "r", From: "a", To: "b", N: n}.Content(100)))
	}
	l.noticed(received("mallory", Probe{Run: "r", From: "a", To: "b", N: 4}.Content(100))) // another's run of that name
	l.noticed(received("alice", localapi.NewContent("text/plain", []byte("hello"))))
	ask, _ := json.Marshal(Ask{Run: "r"})
	l.noticed(received("alice", localapi.NewContent(AskType, ask)))
	answer := <-l.answers
	want := `{"run":"r","from":"a","to":"b","received":5,"twice":1,"spoiled":0,"spans":[[1,3],[5,6]],"cut":false}`
	if answer.To != "alice" || answer.Body != want || answer.Type != CountsType {
		t.Errorf("it answers %+v", answer)
	}
}

func TestAListenerIsBounded(t *testing.T) {
	t.Parallel()
	l := newListener(nil, t.Output())
	for n := range maxSpans + 10 {
		l.tallies.heard("alice", Probe{Run: "r", N: 2 * n}, true)
	}
	if c := l.tallies.told("alice", "r"); c.Received != maxSpans || !c.Cut || len(c.Spans) != spansTold {
		t.Errorf("%d received, %d spans, cut %v", c.Received, len(c.Spans), c.Cut)
	}
	for n := range 3 * maxRuns {
		l.tallies.heard("mallory", Probe{Run: string(rune('a' + n)), N: 1}, true)
	}
	if len(l.tallies.runs) != maxRuns || len(l.tallies.order) != maxRuns {
		t.Errorf("%d runs, %d in order", len(l.tallies.runs), len(l.tallies.order))
	}
	ask, _ := json.Marshal(Ask{Run: "a"})
	for range 2 * answersLine {
		l.noticed(received("mallory", localapi.NewContent(AskType, ask)))
	}
	if len(l.answers) != answersLine {
		t.Errorf("%d answers wait", len(l.answers))
	}
}
