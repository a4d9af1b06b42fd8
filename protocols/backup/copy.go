package backup

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// consider sees whether an envelope has too few holders, and if so when it is
// this node's turn to find another.
func (k *Keeper) consider(now time.Time, e *entry) {
	if e.is != held && e.is != own {
		return
	}
	if k.live(e) >= k.limits.Copies {
		k.timers.Stop(&e.duty)
		e.rounds = 0
		k.thin(now, e)
		return
	}
	if k.live(e) < e.left { // it has become worse: the pause is over
		e.rounds, e.left = 0, 0
	}
	wait := time.Duration(0)
	if e.is == held || e.placed {
		wait = time.Duration(k.before(e)) * turn
	}
	if k.leaving {
		wait = 0
	}
	switch {
	case e.queued || e.looking || len(e.asking) > 0:
	case !e.duty.Armed():
		k.timers.Arm(&e.duty, now.Add(wait))
	case e.rounds == 0:
		k.timers.Hasten(&e.duty, now.Add(wait))
	}
}

// provide looks for holders of an envelope that has too few.
func (k *Keeper) provide(now time.Time, e *entry) {
	if k.live(e) >= k.limits.Copies || e.queued {
		return
	}
	if k.live(e) > 1 && k.many(now, e) { // the last one copies in any case
		k.endRound(now, e)
		return
	}
	m := k.mail(e.To)
	if now.Sub(m.lookedAt) >= fresh || m.candidates == nil {
		e.looking = true
		if !m.looking {
			m.looking = true
			k.ready.Look = append(k.ready.Look, e.To)
		}
		return
	}
	e.queued = true
	k.queue = append(k.queue, e)
	k.pump(now)
}

// Candidates says who may hold a recipient's mail. This node among them tells
// where it is itself.
func (k *Keeper) Candidates(now time.Time, to protocols.Key, candidates []Candidate) {
	m, ok := k.mails[to]
	if !ok || !m.looking {
		return
	}
	m.looking, m.lookedAt = false, now
	m.candidates = slices.DeleteFunc(slices.Clone(candidates), func(c Candidate) bool {
		if c.Key == k.me {
			k.here = c.Place
		}
		return c.Key == k.me || c.Key == to
	})
	if m.candidates == nil {
		m.candidates = []Candidate{}
	}
	Sort(to, m.candidates)
	for _, e := range slices.Clone(m.entries) {
		if e.looking {
			e.looking = false
			k.provide(now, e)
		}
	}
}

// pump stores what is queued, as far as the window of unanswered stores goes.
func (k *Keeper) pump(now time.Time) {
	for k.stores < maxStores && len(k.queue) > 0 {
		e := k.queue[0]
		k.queue[0] = nil
		k.queue = k.queue[1:]
		e.queued = false
		if k.byDigest[e.Digest] == e && (e.is == held || e.is == own) {
			k.storeOut(now, e)
		}
	}
}

// storeOut asks the best candidates to store an envelope: an author as many as
// are missing, a holder one at a time.
func (k *Keeper) storeOut(now time.Time, e *entry) {
	missing := k.limits.Copies - k.live(e) - len(e.asking)
	if e.is == held {
		missing = min(missing, 1-len(e.asking))
	}
	if missing <= 0 {
		return
	}
	chosen := k.choose(now, e, missing)
	if len(chosen) == 0 && len(e.asking) == 0 {
		k.endRound(now, e)
		return
	}
	first := len(e.holders) == 0 && e.is == own
	for _, c := range chosen {
		e.asking = append(e.asking, c.Key)
	}
	if first { // all of them hear of all of them
		e.told = sorted(e.asking)
	}
	var all []protocols.Key
	for _, p := range slices.Concat(k.living(e), e.asking, k.list(e)) { // who held it when this node last ran may be asked, too
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	for _, c := range chosen {
		k.stores++
		others := without(slices.Clone(all), c.Key)
		k.ask(now, c.Key, &Store{Holders: others[:min(len(others), MaxHolders)]}, e, storeTime)
	}
}

// choose picks n more holders for an envelope: those of the last run first; who
// had it and has it no more, or failed to show several others lately, only when
// there is nobody else.
func (k *Keeper) choose(now time.Time, e *entry, n int) (chosen []Candidate) {
	var already, before, open, lapsed []Candidate
	if e.is == held && !k.leaving {
		already = []Candidate{{Key: k.me, Place: k.here, Known: newcomer}}
	}
	m := k.mail(e.To)
	for _, c := range m.candidates {
		s := e.share(c.Key)
		switch {
		case s != nil && s.counts() || slices.Contains(e.asking, c.Key):
			already = append(already, c)
		case c.Key == e.From || slices.Contains(e.refused, c.Key):
		case k.fellows[c.Key] != nil && k.fellows[c.Key].dead():
		case s != nil && s.failed || k.distrust.has(now, c.Key):
			lapsed = append(lapsed, c)
		case s != nil && e.is == own:
			before = append(before, c)
		default:
			open = append(open, c)
		}
	}
	for _, some := range [][]Candidate{before, open, lapsed} {
		chosen = append(chosen, Choose(some, append(already, chosen...), n-len(chosen))...)
	}
	return chosen
}

// endRound waits before all candidates are asked once more.
func (k *Keeper) endRound(now time.Time, e *entry) {
	e.rounds++
	e.refused, e.left = nil, k.live(e)
	k.timers.Arm(&e.duty, now.Add(k.backoff(e.rounds, firstRetry)))
}

// storeReplied takes the answer to a store.
func (k *Keeper) storeReplied(now time.Time, q *asked, r *Reply) {
	e, ok := k.byDigest[q.digest]
	if !ok || e.is == gone {
		return
	}
	good := r.Code == Stored && r.Storage != nil && r.Storage.Holder == q.to && r.Storage.Digest == q.digest
	if !good {
		k.storeFailed(now, q)
		return
	}
	e.asking = without(e.asking, q.to)
	k.stored(now, e, r.Storage)
}

// storeFailed goes on with the next candidate.
func (k *Keeper) storeFailed(now time.Time, q *asked) {
	e, ok := k.byDigest[q.digest]
	if !ok || e.is == gone {
		return
	}
	e.asking = without(e.asking, q.to)
	e.refused = append(e.refused, q.to)
	e.declined = append(without(e.declined, q.to), q.to)
	e.declined = e.declined[max(0, len(e.declined)-maxShares):]
	k.news(e)
	k.provide(now, e)
}

// stored goes on after one more holder has signed.
func (k *Keeper) stored(now time.Time, e *entry, signed *Storage) {
	if s := k.addHolder(now, e, signed.Holder); s != nil {
		s.prove()
		s.end = signed.EndAt()
	}
	if k.live(e) >= k.limits.Copies {
		e.placed = true
		e.refused, e.rounds = nil, 0
	}
	k.news(e)
	if len(e.asking) == 0 {
		k.tellHolders(now, e)
	}
	if k.live(e) < k.limits.Copies && len(e.asking) == 0 {
		k.provide(now, e)
	}
}

// tellHolders tells all holders, and the author if it is connected, who they are
// now, unless the stores have said so.
func (k *Keeper) tellHolders(now time.Time, e *entry) {
	living := sorted(k.living(e))
	if slices.Equal(living, e.told) {
		return
	}
	e.told = living
	k.sayHolders(now, e, k.list(e))
}

// sayHolders tells all holders, and the author if it is connected, who they are.
func (k *Keeper) sayHolders(now time.Time, e *entry, all []protocols.Key) {
	if _, up := k.up[e.From]; up && e.is == held {
		k.ask(now, e.From, &Holders{Digest: e.Digest, Holders: all}, e, answerTime)
	}
	for i := range e.holders {
		if s := &e.holders[i]; s.counts() {
			k.ask(now, s.fellow.key, &Holders{Digest: e.Digest, Holders: all}, e, answerTime)
		}
	}
}

// news has the changed holders of an envelope written down, and told to the
// sender.
func (k *Keeper) news(e *entry) {
	k.ready.Listed = append(k.ready.Listed, e.Digest)
	if e.is == own {
		k.ready.Placed = append(k.ready.Placed, e.Digest)
	}
}

// Leave says that this node is about to stop: each copy that would then have too
// few holders goes to another. Settled says when that is done.
func (k *Keeper) Leave(now time.Time) {
	k.leaving = true
	for _, d := range k.digests() {
		e := k.byDigest[d]
		if e.is == held {
			k.timers.Stop(&e.duty)
			k.consider(now, e)
		}
	}
}

// Settled says that nothing which is held waits to be stored elsewhere.
func (k *Keeper) Settled() bool {
	for _, e := range k.byDigest {
		if e.is == held && e.rounds == 0 && k.live(e) < k.limits.Copies {
			return false
		}
	}
	return true
}

// digests are those of all envelopes in the books, in order.
func (k *Keeper) digests() []envelope.Digest {
	all := make([]envelope.Digest, 0, len(k.byDigest))
	for d := range k.byDigest {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b envelope.Digest) int { return slices.Compare(a[:], b[:]) })
	return all
}

func sorted(keys []protocols.Key) []protocols.Key {
	keys = slices.Clone(keys)
	slices.SortFunc(keys, func(a, b protocols.Key) int { return slices.Compare(a[:], b[:]) })
	return keys
}

func without(keys []protocols.Key, p protocols.Key) []protocols.Key {
	return slices.DeleteFunc(keys, func(x protocols.Key) bool { return x == p })
}
