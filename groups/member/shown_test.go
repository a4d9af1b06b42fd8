package member_test

import (
	"slices"
	"testing"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
)

// arrived are the records that are told of, in their order.
func arrived(r member.Ready) (list []*wire.Record) {
	for _, e := range r.Events {
		if e.Kind == member.Arrived {
			list = append(list, e.Record)
		}
	}
	return list
}

func sameRecord(a, b *wire.Record) bool { return a.Name() == b.Name() }

// A record that another hub puts elsewhere is no news, and one that was cut off neither
// where it comes to stand again.
func TestARecordIsToldOfOnceWhereverItComesToStand(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	a, b, c := d.record(), d.record(), d.record()
	if got := arrived(d.taken(d.page(d.c.Hash(), 1, a, b))); !slices.EqualFunc(got, []*wire.Record{a, b}, sameRecord) {
		t.Errorf("%d of two new ones were told of", len(got))
	}
	d.carolLeads()
	if got := arrived(d.taken(d.page(d.c.Hash(), 1, b, c))); !slices.EqualFunc(got, []*wire.Record{c}, sameRecord) {
		t.Errorf("%d were told of where one was new", len(got))
	}
	if got := arrived(d.taken(d.page(d.hashAt(2), 3, a))); len(got) > 0 {
		t.Error("one that was cut off was told of again")
	}
}

// What had its place before a start was told of then; what this node only wrote, or
// was brought, was not.
func TestWhatStoodBeforeAStartIsNotToldOfAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	stood, brought := d.record(), d.record()
	own := d.signed(bob, wire.RecordID{9}, wire.KindJoin, (&wire.Join{Name: "bob"}).Append(nil))
	old := &wire.Old{Place: wire.Place{Number: 1, Primary: alice.Public(), Seq: 1}}
	d.m.Restore(d.now, []member.Kept{
		{Name: stood.Name(), Record: stood.Bytes(), Old: old},
		{Name: brought.Name(), Record: brought.Bytes()},
		{Name: own.Name(), Record: own.Bytes(), Old: old, Own: true},
	}, false)
	if got := arrived(d.taken(d.page(d.c.Hash(), 1, stood, brought, own))); !slices.EqualFunc(got, []*wire.Record{brought, own}, sameRecord) {
		t.Errorf("%d were told of, want the one that was brought and the own one", len(got))
	}
}
