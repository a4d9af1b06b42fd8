package groups

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/senderkey"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// maxDebts is how many chains that others have followed are still to be given: of more
// together with the own one no member keeps any.
const maxDebts = senderkey.MaxChains - 1

// debt is a chain that another has followed before it was known that all have it to whom
// it was given. What it has sealed is theirs to read.
type debt struct {
	Chain wire.ChainID
	Since time.Time
	Keys  []handedKey
}

// letters are the keys for those to whom they are still owed; the others are forgotten.
func (d *debt) letters(owed func(p protocols.Key) bool) (list []letter) {
	for i := range d.Keys {
		x := &d.Keys[i]
		x.To = slices.DeleteFunc(x.To, func(p protocols.Key) bool { return !owed(p) })
		for _, p := range x.To {
			list = append(list, letter{to: p, body: x.Body})
		}
	}
	return list
}

// owe notes that the own chain, if there is one, ends before all have shown that they
// have it.
func (k *keys) owe(now time.Time) {
	if k.own == nil {
		return
	}
	list := k.outHanded()
	if len(list) == 0 {
		return
	}
	if k.debts = append(k.debts, debt{k.own.State().Chain, now, list}); len(k.debts) > maxDebts {
		k.debts = slices.Delete(k.debts, 1, 2) // the first may be on its way
	}
}

// pay posts the oldest chain that is owed to those who were waited for in vain.
func (k *keys) pay(now time.Time) {
	if k.payBy = (time.Time{}); k.paying || len(k.debts) == 0 {
		return
	}
	d := &k.debts[0]
	if end := k.waits().end(d.Since); now.Before(end) {
		k.payBy = end
		return
	}
	last, ok := k.lastOf(d.Chain)
	if !ok && k.r.seat.Unanswered() > 0 { // one may come to stand in the log
		d.Since = now
		k.payBy = k.waits().end(now)
		return
	}
	fold := k.r.seat.Ledger().Fold()
	list := d.letters(func(p protocols.Key) bool { return ok && fold.Member(p) && !k.r.seat.Has(p, last) })
	k.paying = true
	k.r.s.work.Go(func() {
		taken := k.r.s.postAll(list)
		k.r.post(func(now time.Time) { k.paid(now, taken) })
	})
}

// paid notes whom the post brings the oldest chain that was owed. The others wait as long
// again.
func (k *keys) paid(now time.Time, taken []protocols.Key) {
	k.paying, k.outNew = false, true
	d := &k.debts[0]
	d.Since = now
	if len(d.letters(func(p protocols.Key) bool { return !slices.Contains(taken, p) })) == 0 {
		k.debts = k.debts[1:]
	}
}

// lastOf finds the last message in the log that an own chain has sealed: who has opened
// it has the chain.
func (k *keys) lastOf(chain wire.ChainID) (last wire.Seq, ok bool) {
	l := k.r.seat.Ledger()
	l.Log().All(func(e entry) {
		if e.Record.Author != k.r.s.self || e.Record.Kind != wire.KindMessage || l.Void(e.Place.Seq) != nil {
			return
		}
		if m, err := wire.ParseMessage(e.Record.Payload); err == nil && m.Chain == chain {
			last, ok = e.Place.Seq, true
		}
	})
	return last, ok
}
