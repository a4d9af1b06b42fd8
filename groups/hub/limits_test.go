package hub_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/hub"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

func TestEachMayBringSoMuchAndIsToldWhenToComeAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.limit(hub.Limits{Rate: 10, Burst: 100, Bytes: 1000, Flood: 50_000, Others: 5})
	admitted := func(k protocols.Key, size, of int) (n int, retry wire.Millis) {
		for range of {
			if r := d.hub.Admit(d.now, k, size); r > 0 {
				retry = r
			} else {
				n++
			}
		}
		return n, retry
	}
	if n, retry := admitted(bob.Public(), 10, 1000); n != 100 || retry != 101 {
		t.Errorf("%d at once, then in %d ms", n, retry)
	}
	if n, _ := admitted(carol.Public(), 10, 1); n != 1 {
		t.Error("one who floods takes it from another")
	}
	if n, retry := admitted(carol.Public(), 20_000, 5); n != 2 || retry < 10_000 {
		t.Errorf("%d large ones at once, then in %d ms", n, retry)
	}
	d.now = d.now.Add(2 * time.Second)
	if n, _ := admitted(bob.Public(), 10, 1000); n != 20 {
		t.Errorf("%d after two seconds", n)
	}
	total := 0
	for i := range byte(50) {
		n, _ := admitted(signer(100+i).Public(), 10, 10)
		total += n
	}
	if total != 5 {
		t.Errorf("%d of fifty who are no members", total)
	}
}

// All together may bring so much. Who floods, with how many hands ever, takes nothing
// from those who bring their share.
func TestAllTogetherMayBringSoMuchAndEachItsShare(t *testing.T) {
	t.Parallel()
	d := newDesk(t) // of three
	d.limit(hub.Limits{Rate: 100, Burst: 1000, Together: 60})
	admitted := func(k protocols.Key, of int) (n int) {
		for range of {
			if d.hub.Admit(d.now, k, 10) == 0 {
				n++
			}
		}
		return n
	}
	if n := admitted(alice.Public(), 2000) + admitted(bob.Public(), 2000); n < 600 || n > 620 { // who comes second has its share besides
		t.Errorf("%d of two at once", n)
	}
	flood, share := 0, 0
	for range 100 {
		d.now = d.now.Add(100 * time.Millisecond)
		flood += admitted(alice.Public(), 50) + admitted(bob.Public(), 50)
		share += admitted(carol.Public(), 1)
	}
	if share != 100 || flood < 450 || flood > 520 {
		t.Errorf("in ten seconds %d of those who flood, and %d of 100 of another", flood, share)
	}
}

// A log that holds as much as it may takes no messages, but a kick.
func TestAFullLogTakesNoMessages(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.limit(hub.Limits{Tail: 4})
	for range 3 {
		d.publish(bob, d.message(bob))
	}
	if d.ledger.Log().Len() != 4 {
		t.Fatalf("%d records", d.ledger.Log().Len())
	}
	busy := find[*wire.Busy](d.take()[bob.Public()])
	if busy == nil || busy.Retry == 0 {
		t.Errorf("bob is told %+v", busy)
	}
	d.publish(alice, d.message(alice))
	if d.take(); len(d.ready.Busy) != 1 {
		t.Error("the hub itself is not told")
	}
	names, _ := d.ledger.Fold().Names(carol.Public())
	d.publish(alice, d.entry(alice, wire.KindKick, (&wire.Target{Kind: wire.KindKick, Member: carol.Public(), Names: names}).Append(nil)))
	if d.ledger.Log().Len() != 5 {
		t.Error("a kick is not taken")
	}
}

// limit makes the hub another one, with limits.
func (d *desk) limit(l hub.Limits) {
	d.hub = hub.New(hub.Config{
		Group: d.group, Signer: alice, Verifier: protocols.Main, Ledger: d.ledger, Term: wire.Term{Number: 1, Opened: wire.HubHash{1}}, Beat: 500 * time.Millisecond, Limits: l,
	})
	d.step(hub.View{Open: true, Silent: true})
	d.take()
}
