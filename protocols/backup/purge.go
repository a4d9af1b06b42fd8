package backup

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Receipt takes a receipt whose signature is verified, and that from brought, or
// this node itself where it has it from elsewhere. It ends every envelope here that it names, and goes on to all who share them.
func (k *Keeper) Receipt(now time.Time, from protocols.Key, r *ack.Receipt, raw []byte) {
	var others []protocols.Key
	var ended []envelope.Digest // of own messages
	news := false
	for i := range r.Entries {
		e := k.byName[entryOf(r, i)]
		if e == nil || e.is == gone || e.To != r.From || e.Digest.Short() != r.Entries[i].Digest {
			continue
		}
		for j := range e.holders {
			if p := e.holders[j].fellow.key; p != from && !slices.Contains(others, p) {
				others = append(others, p)
			}
		}
		if e.is == own {
			k.bury(e, from)
			k.strike(e)
			ended = append(ended, e.Digest)
			continue
		}
		news = true
		k.destroy(e, raw)
	}
	if ended != nil && from != k.me {
		k.ready.Ended = append(k.ready.Ended, raw)
	}
	if news && from != r.To {
		k.ready.Tell = append(k.ready.Tell, Tidings{Author: r.To, Receipt: raw})
	}
	for _, p := range others {
		k.ask(now, p, &Drop{Receipt: raw}, nil, answerTime)
		k.asked[k.last].ended = ended
	}
}

// destroy lets go of a copy, and keeps the receipt that ended it, if one did.
func (k *Keeper) destroy(e *entry, receipt []byte) {
	k.ready.Destroy = append(k.ready.Destroy, Destruction{Digest: e.Digest, Receipt: receipt})
	k.quota.charge(&e.Item, -e.cost())
	if receipt == nil {
		k.strike(e)
		return
	}
	k.rest(e)
	e.is, e.receipt = gone, receipt
	k.quota.charge(&e.Item, tombstoneCost)
}

// end is the end of an envelope's life.
func (k *Keeper) end(now time.Time, e *entry) {
	if k.doubt {
		k.timers.Arm(&e.ending, now.Add(doubtRetry))
		return
	}
	switch e.is {
	case own:
		k.strike(e)
	case gone:
		k.quota.charge(&e.Item, -tombstoneCost)
		k.strike(e)
		k.ready.Forget = append(k.ready.Forget, e.Digest)
	default:
		k.destroy(e, nil)
	}
}

// Unreadable says that a copy turned out to be lost on this node's own disk.
func (k *Keeper) Unreadable(now time.Time, d envelope.Digest) {
	if e := k.byDigest[d]; e != nil && e.is == held {
		k.destroy(e, nil)
	}
}

// Usage is what a node keeps for others.
type Usage struct {
	Copies     int
	Bytes      int64 // with overhead, what has ended included
	Limits     Limits
	Recipients int
	Oldest     time.Time // when the oldest copy came; zero without any
	Ended      int       // of which only the receipt is left
}

// Usage sums up what this node keeps for others.
func (k *Keeper) Usage() Usage {
	u := Usage{Bytes: k.quota.total, Limits: k.limits}
	recipients := make(map[protocols.Key]struct{})
	for _, e := range k.byDigest {
		switch e.is {
		case held:
			u.Copies++
			recipients[e.To] = struct{}{}
			if u.Oldest.IsZero() || e.since.Before(u.Oldest) {
				u.Oldest = e.since
			}
		case gone:
			u.Ended++
		}
	}
	u.Recipients = len(recipients)
	return u
}

// Recipients are up to n of those for whom something is held, in no order.
func (k *Keeper) Recipients(n int) (all []protocols.Key) {
	for to, m := range k.mails {
		if len(all) < n && slices.ContainsFunc(m.entries, func(e *entry) bool { return e.is == held }) {
			all = append(all, to)
		}
	}
	return all
}
