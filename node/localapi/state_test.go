package localapi

import (
	"testing"

	"github.com/tom-protocol/tom/protocols/delivery"
)

// The words are written here once more so that a client need not import the
// machine that decides; this keeps the two the same.
func TestStatesAreThoseOfDelivery(t *testing.T) {
	t.Parallel()
	words := []State{Queued, Sent, Relayed, Stored, Delivered, Read, Expired, Failed}
	for i, word := range words {
		state, ok := delivery.ParseState(string(word))
		if !ok || state != delivery.State(i+1) {
			t.Errorf("%q is %v, %v", word, state, ok)
		}
		if word.Over() != state.Final() {
			t.Errorf("%q: over %v, final %v", word, word.Over(), state.Final())
		}
	}
	if next := delivery.State(len(words) + 1).String(); next != delivery.State(0).String() {
		t.Errorf("delivery knows one more state: %q", next)
	}
}

func TestReachedFollowsTheOrder(t *testing.T) {
	t.Parallel()
	for i, have := range progress {
		for j, want := range progress {
			if have.Reached(want) != (i >= j) {
				t.Errorf("%s reached %s: %v", have, want, i < j)
			}
		}
	}
	for _, never := range []State{Expired, Failed, "", "nonsense"} {
		if never.Reached(Queued) || Read.Reached(never) {
			t.Errorf("%q is no step on the way", never)
		}
	}
}
