package stress

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
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

func record(seq uint64, id, mark string) localapi.GroupRecord {
	return localapi.GroupRecord{Seq: seq, ID: id, Kind: "message", Mark: mark, Content: localapi.NewContent("text/plain", []byte(id))}
}

func TestLogsThatDifferAreFoundOut(t *testing.T) {
	t.Parallel()
	log := []localapi.GroupRecord{record(1, "a", "effective"), record(2, "b", "effective")}
	c := &circle{members: []*fleet.Member{{Name: "alice"}, {Name: "bob"}}}
	if err := c.compareLogs([][]localapi.GroupRecord{log, slices.Clone(log)}); err != nil {
		t.Error(err)
	}
	for name, other := range map[string][]localapi.GroupRecord{
		"shorter":     log[:1],
		"longer":      append(slices.Clone(log), record(3, "c", "effective")),
		"other order": {record(1, "b", "effective"), record(2, "a", "effective")},
		"other place": {log[0], record(3, "b", "effective")},
		"none":        nil,
	} {
		if c.compareLogs([][]localapi.GroupRecord{log, other}) == nil {
			t.Errorf("%s: the logs are the same", name)
		}
	}
}

func TestRecordsAreCountedByWhatTheyAreWorth(t *testing.T) {
	t.Parallel()
	log := []localapi.GroupRecord{
		record(1, "a", "effective"), record(2, "b", "moved"), record(3, "c", "void"), record(4, "d", "unreadable"), record(5, "a", "effective"),
		{Seq: 6, ID: "e", Kind: "join", Mark: "effective"},
	}
	if messages, again, void := countRecords(log); messages != 5 || again != 1 || void != 2 {
		t.Errorf("%d messages, %d again, %d void", messages, again, void)
	}
}

func TestOnlySomePhasesGoWithAListenerElsewhere(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"ping": true, "endurance": true, "backup": false, "failover": false, Campaign: true, "nonsense": false} {
		if _, err := choose(name, true); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all, err := choose(Campaign, false); err != nil || len(all) != len(phases) {
		t.Errorf("a campaign has %d phases, %v", len(all), err)
	}
}

func TestConfigsThatMeanNothingAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"too short": {Duration: time.Millisecond},
		"too large": {Size: localapi.MaxBody + 1},
		"too fast":  {Rate: 1e6},
		"too many":  {Rate: 10_000, Duration: time.Hour},
	} {
		if c.complete() == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
	var c Config
	if err := c.complete(); err != nil || c.Duration == 0 || c.Size == 0 || c.Patience == 0 || c.Seed == 0 || c.every(4) != 250*time.Millisecond {
		t.Errorf("%+v, %v", c, err)
	}
}
