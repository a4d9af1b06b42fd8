package backup

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/internal/timers"
)

// fellow is a node that holds envelopes which this node keeps or looks after.
type fellow struct {
	key     protocols.Key
	entries []*entry // shared with it
	watch   timers.Timer
	misses  int       // silences in a row
	missed  time.Time // the newest
	died    time.Time // when it began to count as dead
	asked   bool      // a question to watch it by is not answered
	offer   bool      // it is to hear what this node has, for one of the two was away
	next    int       // of entries to be offered
	at      int       // of entries that were looked at for doubts
	claims  int       // shares of it that nobody else has spoken of
	hurry   bool      // the newest audit was about a doubt
}

func (f *fellow) dead() bool { return f.misses >= maxMisses }

func (k *Keeper) fellow(now time.Time, p protocols.Key) *fellow {
	f, ok := k.fellows[p]
	if !ok {
		f = &fellow{key: p}
		f.watch.Fire = func(now time.Time) { k.visit(now, f) }
		k.fellows[p] = f
	}
	return f
}

func (k *Keeper) forgetIdle(f *fellow) {
	if len(f.entries) == 0 {
		k.timers.Stop(&f.watch)
		delete(k.fellows, f.key)
	}
}

// attend sees to it that a fellow is watched as closely as the envelope demands.
func (k *Keeper) attend(now time.Time, f *fellow, e *entry) {
	if f.dead() {
		return
	}
	every := visitEvery
	if e.is != own {
		if s := e.next(); s != nil && s.fellow == f {
			every = watchEvery
		}
	}
	k.timers.Hasten(&f.watch, now.Add(k.spread(every)))
}

// visit asks a fellow for a sign of life: for a proof that it has an envelope of
// those it shares, one it has not shown yet if there is, or what it makes of
// all of them.
func (k *Keeper) visit(now time.Time, f *fellow) {
	if f.asked || len(f.entries) == 0 {
		return
	}
	if f.offer {
		f.asked = true
		k.offerTo(now, f)
		return
	}
	e := k.suspect(f)
	if e == nil {
		k.timers.Arm(&f.watch, now.Add(time.Second))
		return
	}
	f.asked = true
	f.hurry = k.doubtful(f, e)
	k.ask(now, f.key, &Audit{Digest: e.Digest}, e, answerTime)
}

// suspect is the envelope that a fellow is to prove it has: one that it is the
// only one to speak of, or that too many hold, before any other; nil if none is
// safely here yet.
func (k *Keeper) suspect(f *fellow) (found *entry) {
	const looks = 256
	for range min(looks, len(f.entries)) {
		f.at++
		e := f.entries[f.at%len(f.entries)]
		if k.doubtful(f, e) {
			return e
		}
	}
	for range 8 {
		if e := f.entries[k.rand.IntN(len(f.entries))]; e.is != arriving {
			return e
		}
	}
	return nil
}

// doubtful says that it matters soon whether a fellow has an envelope.
func (k *Keeper) doubtful(f *fellow, e *entry) bool {
	if e.is != held || f.claims == 0 && !k.crowded(e) {
		return false // as nearly always
	}
	s := e.share(f.key)
	return !s.proved && !s.failed && (s.claim || k.crowded(e))
}

// offerTo tells a fellow what this node has of what they share.
func (k *Keeper) offerTo(now time.Time, f *fellow) {
	frame := &Offer{}
	for ; f.next < len(f.entries) && len(frame.Held) < MaxOffer; f.next++ {
		if e := f.entries[f.next]; e.is == held {
			frame.Held = append(frame.Held, Held{Digest: e.Digest, End: uint64(e.End.UnixMilli())})
		}
	}
	if f.next >= len(f.entries) {
		f.next, f.offer = 0, false
	}
	if len(frame.Held) == 0 {
		f.asked = false
		k.watchOn(now, f)
		return
	}
	k.ask(now, f.key, frame, nil, answerTime)
}

// sign takes a sign of life of a fellow.
func (k *Keeper) sign(now time.Time, f *fellow) {
	wasDead := f.dead()
	f.misses = 0
	if wasDead {
		f.offer, f.next = true, 0
		k.timers.Arm(&f.watch, now)
		for _, e := range f.entries { // nobody lets go for what it had then
			e.share(f.key).proved = false
		}
		k.reconsider(now, f)
		for _, e := range f.entries { // who was cut off with it may be there too
			k.seekSoon(now, k.mail(e.To))
		}
		return
	}
	if !f.watch.Armed() {
		k.watchOn(now, f)
	}
}

// hasten has a fellow visited soon.
func (k *Keeper) hasten(now time.Time, f *fellow) {
	f.hurry = true // also if a question is on its way
	k.timers.Hasten(&f.watch, now.Add(k.spread(hurryEvery)))
}

// watchOn arms the next visit to a living fellow.
func (k *Keeper) watchOn(now time.Time, f *fellow) {
	every := visitEvery
	switch {
	case f.offer || f.hurry:
		every = hurryEvery
	case k.closest(f):
		every = watchEvery
	}
	k.timers.Arm(&f.watch, now.Add(k.spread(every)))
}

// closest says that it is for this node to notice if the fellow dies.
func (k *Keeper) closest(f *fellow) bool {
	for _, e := range f.entries {
		if e.is == own {
			continue
		}
		if s := e.next(); s != nil && s.fellow == f {
			return true
		}
	}
	return false
}

// missed notes that a fellow did not answer.
func (k *Keeper) missed(now time.Time, f *fellow) {
	if now.Sub(f.missed) < missRetry { // several questions, one silence
		if !f.watch.Armed() {
			k.timers.Arm(&f.watch, now.Add(missRetry))
		}
		return
	}
	f.missed = now
	f.misses++
	switch {
	case f.misses < maxMisses:
		k.timers.Arm(&f.watch, now.Add(missRetry))
	case f.misses == maxMisses:
		f.died = now
		k.mourn(now, f)
		k.reconsider(now, f)
		fallthrough
	default:
		k.timers.Arm(&f.watch, now.Add(k.backoff(f.misses-maxMisses+1, 3*firstRetry)))
	}
}

// mourn has a look at all who shared anything with a fellow that has died: the
// one that was to watch the next of them may have died with it.
func (k *Keeper) mourn(now time.Time, f *fellow) {
	for _, e := range f.entries {
		if e.is == own {
			continue
		}
		for i := range e.holders {
			if o := e.holders[i].fellow; !o.dead() && !o.asked && o.watch.Armed() {
				k.timers.Hasten(&o.watch, now)
			}
		}
	}
}

// reconsider looks anew at all that is shared with a fellow.
func (k *Keeper) reconsider(now time.Time, f *fellow) {
	for _, e := range f.entries {
		k.consider(now, e)
	}
}
