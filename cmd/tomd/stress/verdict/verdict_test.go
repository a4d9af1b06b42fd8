package verdict

import (
	"errors"
	"testing"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
)

func TestCriteriaCanFail(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		good, evil Criterion
	}{
		{"none", None("x", 0), None("x", 1)},
		{"exactly", Exactly("x", 3, 3), Exactly("x", 2, 3)},
		{"at least", AtLeast("x", 3, 3), AtLeast("x", 2, 3)},
		{"within", Within("x", time.Second, time.Second), Within("x", time.Second+1, time.Second)},
		{"fine", Fine("x", nil), Fine("x", errors.New("not at all"))},
		{"figure", Figure{Ours: 100, Daemons: 101}.Criterion(), Figure{Ours: 100, Daemons: 102}.Criterion()},
		{"nothing of something", Figure{}.Criterion(), Figure{Ours: 0, Daemons: 1}.Criterion()},
		{"something of nothing", Figure{}.Criterion(), Figure{Ours: 1, Daemons: 0}.Criterion()},
	} {
		if !test.good.Pass || test.evil.Pass {
			t.Errorf("%s: %+v, %+v", test.name, test.good, test.evil)
		}
	}
}

func TestAResultWithoutCriteriaDoesNotPass(t *testing.T) {
	t.Parallel()
	var r Result
	if r.Judge(); r.Pass {
		t.Error("nothing was asked for, and it passes")
	}
}

func TestEveryKindOfBadNewsFails(t *testing.T) {
	t.Parallel()
	good := ledger.Counts{Sent: 12, Accepted: 10, Unanswered: 2, Anyway: 1, Delivered: 10, Received: 11, Reordered: 3, Stored: 1}
	r := Result{Counts: good}
	r.ExactlyOnce()
	if r.Judge(); !r.Pass {
		t.Errorf("%+v", r)
	}
	for name, spoil := range map[string]func(*Result){
		"lost":     func(r *Result) { r.Counts.Lost = 1 },
		"twice":    func(r *Result) { r.Counts.Twice = 1 },
		"unsigned": func(r *Result) { r.Counts.Unsigned = 1 },
		"untrue":   func(r *Result) { r.Counts.Untrue = 1 },
		"ended":    func(r *Result) { r.Counts.Ended = 1 },
		"strange":  func(r *Result) { r.Counts.Strange = 1 },
		"swapped":  func(r *Result) { r.Counts.Swapped = 1 },
		"received": func(r *Result) { r.Counts.Received-- },
		"spoiled":  func(r *Result) { r.Spoiled = 1 },
		"nothing":  func(r *Result) { r.Counts = ledger.Counts{} },
	} {
		r := Result{Counts: good}
		spoil(&r)
		r.ExactlyOnce()
		if r.Judge(); r.Pass {
			t.Errorf("%s passes", name)
		}
	}
}
