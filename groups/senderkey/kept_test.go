package senderkey_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/senderkey"
	"github.com/tom-protocol/tom/groups/wire"
)

// A ring comes back as it was kept, out of no part of that and of nothing longer; and
// what it is appended to has room for it: what a buffer outgrows nobody clears.
func TestARingComesBackAsItWasKept(t *testing.T) {
	t.Parallel()
	state := func(n byte) senderkey.State {
		return senderkey.State{
			Chain: wire.ChainID{n}, Roster: senderkey.Roster{Version: 1 << 60, Hash: wire.RosterHash{n}}, Index: wire.Index(n) << 12, Secret: [32]byte{n, 1},
		}
	}
	chains := []senderkey.Receiving{
		{State: state(1)},
		{State: state(2), Elsewhere: true, Skipped: []senderkey.Skipped{
			{Index: 3, Key: [32]byte{4}, Since: time.UnixMilli(5)}, {Index: 1 << 20, Key: [32]byte{6}, Since: start.Truncate(time.Millisecond)},
		}},
	}
	ring := senderkey.NewRing()
	for _, c := range chains {
		ring.Restore(alice, c)
	}
	ring.Restore(bob, chains[0])

	room := make([]byte, 0, ring.KeptSize())
	kept := ring.Append(room)
	if &kept[0] != &room[:1][0] {
		t.Errorf("%d bytes, and there was room for %d", len(kept), cap(room))
	}
	back := senderkey.NewRing()
	if err := back.Load(kept); err != nil {
		t.Fatal(err)
	}
	for _, want := range chains {
		got, ok := back.Chain(alice, want.Chain)
		for i, s := range got.Skipped {
			if !s.Since.Equal(want.Skipped[i].Since) {
				t.Errorf("skipped at %v, and not at %v", s.Since, want.Skipped[i].Since)
			}
			got.Skipped[i].Since = want.Skipped[i].Since // but for the zone
		}
		if !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v; want %+v", got, ok, want)
		}
	}
	if _, ok := back.Chain(bob, chains[0].Chain); !ok {
		t.Error("the other owner's chain is lost")
	}
	for n := range kept {
		if err := senderkey.NewRing().Load(kept[:n]); !errors.Is(err, senderkey.ErrKept) {
			t.Fatalf("%d bytes of %d: %v", n, len(kept), err)
		}
	}
	if err := senderkey.NewRing().Load(append(kept, 0)); !errors.Is(err, senderkey.ErrKept) {
		t.Errorf("with one more byte: %v", err)
	}
}
