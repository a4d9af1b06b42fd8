package backup_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
)

// TestAnAuthorThatComesBackGoesToItsHolders: they are asked before anybody else,
// count once they have signed again, and stay three.
func TestAnAuthorThatComesBackGoesToItsHolders(t *testing.T) {
	t.Parallel()
	best := ranked(9)
	before := best[6:]
	k, ask := placedAgain(t, before, best)
	if p, _ := k.Placement(ask[0].Digest); p.Live != 0 || p.Enough || len(p.Holders) != 3 {
		t.Errorf("before they sign: %+v", p)
	}
	for _, q := range ask {
		if !slices.Contains(before, q.To) {
			t.Errorf("asked somebody new, %x", q.To[:2])
		}
		if others := q.Frame.(*backup.Store).Holders; len(others) != 2 || others[0] == others[1] {
			t.Errorf("told of %d others", len(others))
		}
		reply(k, start, q, signed(q, q.To))
	}
	if p, _ := k.Placement(ask[0].Digest); p.Live != 3 || !p.Enough || len(p.Holders) != 3 {
		t.Errorf("once they have signed: %+v", p)
	}
}

// TestNewHoldersHearOfThoseOfTheLastRun: an author that comes back and does not
// find its holders chooses others. Both hear of both, so that no more than need be
// stay; and whoever was a holder hears of the receipt.
func TestNewHoldersHearOfThoseOfTheLastRun(t *testing.T) {
	t.Parallel()
	best := ranked(6)
	before, others := best[:3], best[3:]
	k, ask := placedAgain(t, before, others)
	for _, q := range ask {
		told := q.Frame.(*backup.Store).Holders
		for _, p := range before {
			if !slices.Contains(told, p) {
				t.Errorf("%x was not told of %x", q.To[:2], p[:2])
			}
		}
		reply(k, start, q, signed(q, q.To))
	}
	it := item(1)
	if p, _ := k.Placement(it.Digest); p.Live != 3 || !p.Enough || len(p.Holders) != 6 {
		t.Errorf("placed %+v", p)
	}
	if listed := k.Ready().Listed; !slices.Contains(listed, it.Digest) {
		t.Error("who holds it now is not written down")
	}
	if holders, end, ok := k.HoldersOf(it.Digest); len(holders) != 6 || !end.Equal(it.End) || !ok {
		t.Errorf("held by %d until %v", len(holders), end)
	}
	r := &ack.Receipt{Kind: ack.Delivered, From: friend, To: me, Entries: []ack.Entry{{ID: it.ID, Digest: it.Digest.Short()}}}
	k.Receipt(start, friend, r, []byte("receipt"))
	var dropped []protocols.Key
	for _, q := range k.Ready().Ask {
		if _, ok := q.Frame.(*backup.Drop); ok {
			dropped = append(dropped, q.To)
		}
	}
	for _, p := range best {
		if !slices.Contains(dropped, p) {
			t.Errorf("%x does not hear of the receipt", p[:2])
		}
	}
}

// TestAHolderOfTheLastRunCountsWhenItHasShownTheMessage, also where none of them
// can be asked to store anything.
func TestAHolderOfTheLastRunCountsWhenItHasShownTheMessage(t *testing.T) {
	t.Parallel()
	best := ranked(4)
	k := backup.NewKeeper(me, backup.Limits{}, 1)
	it := item(1)
	it.From, it.Holders = me, best
	k.Place(start, it)
	has := func(p protocols.Key) bool { return p != best[3] }
	for now := start; now.Before(start.Add(10 * time.Minute)); now = k.Deadline() {
		k.Tick(now)
		for _, q := range k.Ready().Ask {
			reply(k, now, q, backup.Reply{Answer: backup.Answer{Code: backup.Hash}, Proved: has(q.To)})
		}
	}
	p, _ := k.Placement(it.Digest)
	for _, h := range p.Holders {
		if h.Live != has(h.Key) {
			t.Errorf("%+v", h)
		}
	}
	if p.Live != 3 || len(p.Holders) != 4 {
		t.Errorf("%d live of %d", p.Live, len(p.Holders))
	}
}
