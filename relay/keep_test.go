package relay

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/relay/role"
)

var stored = envelope.Answer{Code: envelope.Stored}

// A relay that cannot get an envelope to its recipient keeps it, whatever the
// reason, and says so with the holder's signature.
func TestRelayKeepsWhatItCannotDeliver(t *testing.T) {
	for name, c := range map[string]struct {
		full   bool
		slow   time.Duration
		set    func(b, r *folk)
		answer envelope.Answer
		after  time.Duration
	}{
		"nobody knows the recipient": {set: func(_, _ *folk) {}, answer: stored, after: 5 * way},
		"it cannot be dialled":       {set: func(b, r *folk) { r.known[b.key()] = true; delete(r.w.folks, b.key()) }, answer: stored, after: 2 * time.Second},
		"it does not answer":         {set: func(b, r *folk) { join(b, r); b.silentMood() }, answer: stored, after: 3 * time.Second},
		"its line breaks": {set: func(b, r *folk) {
			join(b, r)
			r.broken = b.key()
		}, answer: stored, after: 5 * way},
		"it is there":                 {set: func(b, r *folk) { join(b, r) }, answer: taken, after: 5 * way},
		"there is no room":            {full: true, set: func(_, _ *folk) {}, answer: noRoute, after: 5 * way},
		"the disk is too slow":        {slow: time.Minute, set: func(_, _ *folk) {}, answer: isBusy, after: 2 * time.Second},
		"no room, after a vain dial":  {full: true, set: func(b, r *folk) { r.known[b.key()] = true; delete(r.w.folks, b.key()) }, answer: noRoute, after: 2 * time.Second},
		"the disk takes half a while": {slow: keepTime / 2, set: func(_, _ *folk) {}, answer: stored, after: 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inTown(t, func(t *testing.T, w *town) {
				shelf := &cellar{full: c.full, slow: c.slow}
				a, b, r := w.settle('a'), w.settle('b'), w.relay('r', func(cfg *Config) { cfg.Keeper = shelf })
				join(a, r)
				c.set(b, r)
				e := a.write(b, 100, r)
				a.send(r, e)
				w.pass(c.after)
				a.wantAnswers(c.answer)
				w.pass(2 * time.Minute)
				if wrong := (len(shelf.items) == 1) != (c.answer.Code == envelope.Stored || c.slow > keepTime); wrong {
					t.Fatalf("%d are kept", len(shelf.items))
				}
				for _, kept := range shelf.items {
					if kept.Digest() != e.Digest() || kept.Via != nil || kept.Hops != 0 {
						t.Errorf("kept %+v", kept)
					}
				}
				if r.Service.queue.Load() > 0 || len(r.passages.order) > 0 {
					t.Error("something is left of it")
				}
			})
		})
	}
}

// Copies that come while the disk is at work have the same outcome, and the last
// relay of a chain keeps, not those before it.
func TestOnlyTheLastRelayKeepsAndOnce(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		first, last := &cellar{}, &cellar{slow: 200 * time.Millisecond}
		a, b := w.settle('a'), w.settle('b')
		r, s := w.relay('r', func(c *Config) { c.Keeper = first }), w.relay('s', func(c *Config) { c.Keeper = last })
		join(a, r)
		join(r, s)
		e := a.write(b, 100, r, s)
		a.send(r, e)
		a.send(r, e)
		w.pass(time.Second)
		a.wantAnswers(stored, stored)
		if len(first.items) != 0 || len(last.items) != 1 || string(a.answers[0].Storage) != "signed" {
			t.Errorf("%d and %d are kept: %+v", len(first.items), len(last.items), a.answers)
		}
		// A relay in the middle that cannot reach the next leaves it to the author.
		x := w.settle('x')
		r.known[x.key()] = true
		delete(w.folks, x.key())
		a.send(r, a.write(b, 100, r, x))
		w.pass(3 * time.Second)
		a.wantAnswers(stored, stored, noRoute)
		if len(first.items) != 0 {
			t.Error("kept in the middle")
		}
	})
}

// Who carries nothing for others keeps nothing that comes this way either.
func TestWhoDoesNotRelayKeepsNothing(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		shelf := &cellar{}
		a, b := w.settle('a'), w.settle('b')
		r := w.relay('r', func(c *Config) { c.Keeper, c.Mode = shelf, role.Off })
		join(a, r)
		a.send(r, a.write(b, 100, r))
		w.pass(time.Second)
		a.wantAnswers(policy)
		if len(shelf.items) != 0 {
			t.Error("kept")
		}
	})
}

// A flood of what cannot be delivered is held to the rates of all that is
// relayed, before it is anybody's to keep.
func TestFloodForThoseWhoAreAwayIsBounded(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		shelf := &cellar{}
		m, b := w.settle('m'), w.settle('b')
		r := w.relay('r', func(c *Config) { c.Keeper = shelf })
		join(m, r)
		limit := DefaultLimits().Stranger
		most := int(limit.Envelopes * limit.Burst.Seconds())
		for range 2 * most {
			m.send(r, m.write(b, 100, r))
		}
		w.pass(100 * time.Millisecond)
		if n := len(shelf.items); n < most/2 || n > most+most/4 {
			t.Errorf("%d of %d are kept, the rate is for %d", n, 2*most, most)
		}
	})
}

// breaking is the line to a peer that ends while an envelope is on it.
func (f *folk) breaking(p protocols.Key, written func(error)) bool {
	if f.broken != p || p == (protocols.Key{}) {
		return false
	}
	go written(errors.Join(context.Canceled, errors.New("the line broke")))
	return true
}

// That a relay keeps an envelope says nothing of another path: a copy that comes
// by one is passed on at once.
func TestACopyWithABetterPathIsPassedOn(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		shelf := &cellar{}
		a, b := w.settle('a'), w.settle('b')
		r, s := w.relay('r', func(c *Config) { c.Keeper = shelf }), w.relay('s')
		join(a, r)
		join(r, s)
		join(s, b)
		e := a.write(b, 100, r)
		a.send(r, e)
		w.pass(3 * way)
		a.wantAnswers(stored)
		e.Via = append(e.Via, s.key())
		a.send(r, e)
		w.pass(10 * way)
		a.wantAnswers(stored, taken)
		if len(b.got) != 1 || len(shelf.items) != 1 {
			t.Errorf("%d received, %d kept", len(b.got), len(shelf.items))
		}
	})
}
