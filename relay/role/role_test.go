package role

import (
	"testing"
	"time"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// step is one moment in the life of a node.
type step struct {
	at     time.Duration
	public bool
	load   float64
	relays bool // what it should offer then
}

func TestRolesFollowCircumstanceSlowly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode  Mode
		steps []step
	}{
		"a public node begins when it has been public for a while": {Auto, []step{
			{0, true, 0, false}, {9 * time.Second, true, 0, false}, {10 * time.Second, true, 0, true},
		}},
		"a hidden node never does": {Auto, []step{{0, false, 0, false}, {time.Hour, false, 0, false}}},
		"a flap of reachability begins anew": {Auto, []step{
			{0, true, 0, false},
			{5 * time.Second, false, 0, false},
			{6 * time.Second, true, 0, false},
			{11 * time.Second, true, 0, false},
			{16 * time.Second, true, 0, true},
		}},
		"a relay outlives a flap": {Auto, []step{
			{0, true, 0, false},
			{10 * time.Second, true, 0, true},
			{20 * time.Second, false, 0, true},
			{70 * time.Second, true, 0, true},
			{80 * time.Second, false, 0, true},
			{139 * time.Second, false, 0, true},
			{140 * time.Second, false, 0, false},
		}},
		"overload pauses it, ease brings it back": {Auto, []step{
			{0, true, 0, false},
			{10 * time.Second, true, 0.4, true},
			{20 * time.Second, true, 0.95, true},
			{50 * time.Second, true, 1, false},
			{60 * time.Second, true, 0.7, false},
			{time.Hour, true, 0.7, false},
			{time.Hour + time.Second, true, 0.1, false},
			{time.Hour + 11*time.Second, true, 0.1, true},
		}},
		"half a load changes nothing": {Auto, []step{
			{0, true, 0, false}, {10 * time.Second, true, 0, true}, {time.Hour, true, 0.7, true}, {2 * time.Hour, true, 0.7, true},
		}},
		"on begins at once, hidden or not": {On, []step{{0, false, 0, true}, {time.Hour, false, 0.7, true}}},
		"on pauses under overload too": {On, []step{
			{0, false, 0, true}, {time.Second, false, 1, true}, {31 * time.Second, false, 1, false}, {32 * time.Second, false, 0.6, true},
		}},
		"off is off": {Off, []step{{0, true, 0, false}, {time.Hour, true, 0, false}}},
		"a clock set back waits once more": {Auto, []step{
			{time.Hour, true, 0, false}, {0, true, 0, false}, {10 * time.Second, true, 0, true},
		}},
	} {
		j := Judge{Mode: c.mode}
		for _, s := range c.steps {
			got := len(j.Step(start.Add(s.at), Circumstance{Public: s.public, Load: s.load})) > 0
			if got != s.relays {
				t.Errorf("%s: after %v it relays: %v", name, s.at, got)
			}
		}
	}
}

func TestDeadlineIsWhenTimeAloneDecides(t *testing.T) {
	t.Parallel()
	var j Judge
	if !j.Deadline().IsZero() {
		t.Error("a deadline before the first step")
	}
	j.Step(start, Circumstance{Public: true})
	at := j.Deadline()
	if want := start.Add(beginAfter); at != want {
		t.Fatalf("deadline %v; want %v", at, want)
	}
	if len(j.Step(at, Circumstance{Public: true})) == 0 || !j.Deadline().IsZero() {
		t.Error("nothing is decided at the deadline, or another one set")
	}
}

func TestModesAreTheirWords(t *testing.T) {
	t.Parallel()
	for _, m := range []Mode{Auto, On, Off} {
		if got, err := ParseMode(m.String()); err != nil || got != m {
			t.Errorf("%v: %v, %v", m, got, err)
		}
	}
	if m, err := ParseMode(""); err != nil || m != Auto {
		t.Errorf("empty: %v, %v", m, err)
	}
	if _, err := ParseMode("maybe"); err == nil {
		t.Error("maybe is a mode")
	}
}
