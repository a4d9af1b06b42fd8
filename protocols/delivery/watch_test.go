package delivery

import (
	"slices"
	"testing"

	"github.com/tom-protocol/tom/protocols/ack"
)

func TestPeerIsWatchedWhileSomethingWaitsForIt(t *testing.T) {
	b := newBench(t)
	one, two := b.accept(b.message()), b.accept(b.message())
	if w := b.m.Ready().Watch; !slices.Equal(w, []Watch{{bob, true}}) {
		t.Errorf("%v, want bob watched once", w)
	}
	b.m.PeerUp(b.now, bob, Path{})
	b.receipt(receiptOf(ack.Delivered, one))
	if w := b.m.Ready().Watch; len(w) != 0 {
		t.Errorf("%v, while a message still waits", w)
	}
	b.receipt(receiptOf(ack.Delivered, two))
	if w := b.pass(2 * calmAfter).Watch; !slices.Equal(w, []Watch{{bob, false}}) {
		t.Errorf("%v, want that bob need not be watched", w)
	}
}
