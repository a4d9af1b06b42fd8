package backup

import (
	"bytes"
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// StoreAsked decides on an envelope that it.Asker asks to store, whose proof and
// times are verified. With keep, the caller makes it safe on disk and reports
// Kept; otherwise the answer is given. Stored stands for this node's signature
// for a copy that ends as Copy says, which the caller puts in.
func (k *Keeper) StoreAsked(now time.Time, it Item) (answer *Answer, keep bool) {
	if e, ok := k.byName[name{it.From, it.ID}]; ok {
		return k.storeAgain(now, e, &it), false
	}
	switch {
	case it.To == k.me, it.From == k.me:
		return &Answer{Code: Refused, Reason: envelope.ReasonPolicy}, false
	case !now.Before(it.End):
		return &Answer{Code: Refused, Reason: envelope.ReasonClock, Value: uint64(now.UnixMilli())}, false
	case k.leaving:
		return &Answer{Code: Busy, RetryMillis: quotaMillis}, false
	case !k.quota.fits(&k.limits, &it):
		return &Answer{Code: Refused, Reason: envelope.ReasonQuota}, false
	}
	k.quota.charge(&it, it.cost())
	e := k.enter(now, it, arriving)
	k.learnHolders(now, e, it.Holders)
	return nil, true
}

// storeAgain answers for an envelope whose author and id are in the books.
func (k *Keeper) storeAgain(now time.Time, e *entry, it *Item) *Answer {
	switch {
	case e.Digest != it.Digest:
		return &Answer{Code: Refused, Reason: envelope.ReasonConflict}
	case e.is == gone:
		return &Answer{Code: Gone, Receipts: [][]byte{e.receipt}}
	case e.is == held:
		k.storeShown(now, e, it)
		return &Answer{Code: Stored}
	case e.is == own:
		return &Answer{Code: Refused, Reason: envelope.ReasonPolicy}
	}
	return &Answer{Code: Busy, RetryMillis: busyMillis}
}

// storeShown takes in what a store says of an envelope that is here already. Who
// asks has it too, and hears who else has.
func (k *Keeper) storeShown(now time.Time, e *entry, it *Item) {
	if s := k.addHolder(now, e, it.Asker); s != nil {
		s.prove()
	}
	k.learnHolders(now, e, it.Holders)
	list := k.list(e)
	for _, p := range list {
		if p != k.me && p != it.Asker && !slices.Contains(it.Holders, p) {
			k.ask(now, it.Asker, &Holders{Digest: e.Digest, Holders: list}, e, answerTime)
			return
		}
	}
}

// Kept says whether an arriving envelope is safe on disk now, and returns what
// to answer: Stored stands for this node's signature, as in StoreAsked.
func (k *Keeper) Kept(now time.Time, d envelope.Digest, ok bool) *Answer {
	e := k.byDigest[d]
	switch {
	case e == nil:
		return &Answer{Code: Busy, RetryMillis: busyMillis}
	case e.is == gone:
		return &Answer{Code: Gone, Receipts: [][]byte{e.receipt}}
	case e.is == arriving && !ok:
		k.quota.charge(&e.Item, -e.cost())
		k.strike(e)
		return &Answer{Code: Busy, RetryMillis: quotaMillis}
	}
	e.is = held
	k.attendAll(now, e)
	if m := k.mail(e.To); m.up {
		k.pushSoon(now, m)
	} else {
		k.timers.Hasten(&m.seek, now.Add(k.spread(seekFirst)))
	}
	return &Answer{Code: Stored}
}

// Copy says how a copy stands: until when it is kept, if it is.
func (k *Keeper) Copy(d envelope.Digest) (end time.Time, ok bool) {
	e := k.byDigest[d]
	if e == nil || e.is != held {
		return time.Time{}, false
	}
	return e.End, true
}

// HoldersOf is who else holds an envelope that is held here or an own message, as
// far as this node knows, the most reliable first, and until when they are to be
// remembered.
func (k *Keeper) HoldersOf(d envelope.Digest) (holders []protocols.Key, end time.Time, ok bool) {
	e := k.byDigest[d]
	if e == nil || e.is != held && e.is != own {
		return nil, time.Time{}, false
	}
	return slices.DeleteFunc(k.list(e), func(p protocols.Key) bool { return p == k.me }), e.End, true
}

// Load takes in a copy that the last run has left on disk. All who are said to
// share it hear that it is back.
func (k *Keeper) Load(now time.Time, it Item) {
	if _, ok := k.byDigest[it.Digest]; ok {
		return
	}
	k.quota.charge(&it, it.cost())
	e := k.enter(now, it, held)
	k.learnHolders(now, e, it.Holders)
	for i := range e.holders {
		f := e.holders[i].fellow
		f.offer = true
		k.timers.Hasten(&f.watch, now.Add(k.spread(time.Second)))
	}
	k.attendAll(now, e)
	k.seekSoon(now, k.mail(e.To))
}

// LoadGone takes in what the last run has left of a copy that had ended.
func (k *Keeper) LoadGone(now time.Time, it Item, receipt []byte) {
	if _, ok := k.byDigest[it.Digest]; ok {
		return
	}
	k.quota.charge(&it, tombstoneCost)
	e := k.enter(now, it, gone)
	k.leaveMail(e)
	e.receipt = receipt
}

func (k *Keeper) attendAll(now time.Time, e *entry) {
	for i := range e.holders {
		k.attend(now, e.holders[i].fellow, e)
	}
	k.consider(now, e)
}

// learnHolders adds those named as holders. They are taken at their word until
// an audit shows otherwise; who did not take it from this node is to show it first,
// for others may have been told beforehand that it would be asked.
func (k *Keeper) learnHolders(now time.Time, e *entry, keys []protocols.Key) {
	for _, p := range keys {
		if e.share(p) == nil && slices.Contains(e.declined, p) {
			k.claimed(now, e, p)
		} else {
			k.addHolder(now, e, p)
		}
	}
}

// FetchAsked is a page of the mail of whoever asks: digests in ascending order,
// of envelopes that together go into one answer.
func (k *Keeper) FetchAsked(now time.Time, asker protocols.Key, after *envelope.Digest) (page []envelope.Digest, more bool) {
	m, ok := k.mails[asker]
	if !ok {
		return nil, false
	}
	var mine []*entry
	for _, e := range m.entries {
		if e.is == held && (after == nil || bytes.Compare(e.Digest[:], after[:]) > 0) {
			mine = append(mine, e)
		}
	}
	slices.SortFunc(mine, func(a, b *entry) int { return bytes.Compare(a.Digest[:], b.Digest[:]) })
	size := 0
	for _, e := range mine {
		if size += e.Size + 5; size > maxPage && len(page) > 0 {
			more = true
			break
		}
		page = append(page, e.Digest)
	}
	if m.push.Armed() { // it comes for its mail itself
		k.timers.Arm(&m.push, now.Add(pushAgain))
	}
	return page, more
}

// AuditAsked says whether the asker may have a proof of an envelope that is held
// here; if not, the answer is given.
func (k *Keeper) AuditAsked(asker protocols.Key, d envelope.Digest) (answer *Answer, prove bool) {
	e := k.byDigest[d]
	switch {
	case e == nil:
		return &Answer{Code: Hash}, false
	case e.is == gone:
		return &Answer{Code: Gone, Receipts: [][]byte{e.receipt}}, false
	case e.is != held || !e.mayKnow(asker):
		return &Answer{Code: Hash}, false
	}
	return nil, true
}

// HoldersAsked takes in who the holders of an envelope are, from its author or
// one of them.
func (k *Keeper) HoldersAsked(now time.Time, asker protocols.Key, f *Holders) *Answer {
	e := k.byDigest[f.Digest]
	switch {
	case e == nil:
	case e.is == gone:
		return &Answer{Code: Gone, Receipts: [][]byte{e.receipt}}
	case e.is == gone || e.is == arriving || !e.mayKnow(asker):
	default:
		before := len(e.holders)
		k.learnHolders(now, e, f.Holders)
		k.named(now, e, f.Holders)
		if e.letGo(asker, f.Holders) || len(e.holders) > before {
			k.news(e)
			k.consider(now, e)
		}
	}
	return &Answer{Code: Done}
}

// claimed notes that a peer says to hold an envelope.
func (k *Keeper) claimed(now time.Time, e *entry, p protocols.Key) {
	known := e.share(p)
	if known == nil {
		if s := k.addHolder(now, e, p); s != nil {
			s.setClaim(true)
			k.hasten(now, s.fellow)
		}
		return
	}
	if known.failed { // it may have it now: that is for it to show
		known.failed, known.proved = false, false
		known.setClaim(true)
	}
	k.consider(now, e)
}

// OfferAsked answers for what the asker says to hold. What was delivered
// meanwhile comes first.
func (k *Keeper) OfferAsked(now time.Time, asker protocols.Key, f *Offer) *Answer {
	a := &Answer{Code: Wanted}
	for _, h := range f.Held {
		e := k.byDigest[h.Digest]
		switch {
		case e == nil:
			if now.UnixMilli() < int64(h.End) && len(a.Wanted) < MaxOffer {
				a.Wanted = append(a.Wanted, h.Digest)
			}
		case e.is == gone:
			if n := len(a.Receipts); n < MaxGone && (n == 0 || !bytes.Equal(a.Receipts[n-1], e.receipt)) {
				a.Receipts = append(a.Receipts, e.receipt)
			}
		case e.is == held:
			k.claimed(now, e, asker)
		}
	}
	if f, ok := k.fellows[asker]; ok && f.dead() {
		k.sign(now, f)
	}
	if len(a.Receipts) > 0 {
		return &Answer{Code: Gone, Receipts: a.Receipts}
	}
	return a
}
