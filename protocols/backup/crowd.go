package backup

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// crowded says that more hold the envelope than need to: those of the lower
// ranks may let go of it, once the others have shown that they have it.
func (k *Keeper) crowded(e *entry) bool {
	return e.is == held && len(e.holders) >= k.limits.Copies && k.live(e) > k.limits.Copies
}

// thin has other holders of a crowded envelope show soon that they have it:
// those before this node, if they are so many that it may let go then, and all
// of them if it is the first, which is to say who they are.
func (k *Keeper) thin(now time.Time, e *entry) {
	if !k.crowded(e) {
		return
	}
	before := k.before(e)
	if before > 0 && before < k.limits.Copies {
		return
	}
	for i := range e.holders {
		if s := &e.holders[i]; s.counts() && !s.proved && (before == 0 || s.rank > e.rank) {
			k.hasten(now, s.fellow)
		}
	}
}

// shown goes on after a holder has shown for the first time, or since it was
// away, that it has the envelope. Parts of the network that were cut off from
// each other have made copies of their own, and most of these holders know one
// of the parts alone: the first of them has met both, and tells all.
func (k *Keeper) shown(now time.Time, e *entry) {
	k.consider(now, e)
	if k.crowded(e) && k.before(e) == 0 {
		k.tellHolders(now, e)
	}
}

// named looks soon at those who count as dead here, and whom another holder
// takes for holders: they may have come back unnoticed.
func (k *Keeper) named(now time.Time, e *entry, keys []protocols.Key) {
	for _, p := range keys {
		if s := e.share(p); s != nil && s.fellow.dead() && now.Sub(s.fellow.missed) >= turn {
			k.hasten(now, s.fellow)
		}
	}
}

// surplus lets go of a copy that enough others, all of them before
// this node by rank, have shown to have. They hear of it, so that nobody counts
// on this node when the next of them dies.
func (k *Keeper) surplus(now time.Time, e *entry) {
	if e.is != held {
		return
	}
	better := 0
	for i := range e.holders {
		s := &e.holders[i]
		if s.counts() && s.proved && s.rank > e.rank {
			better++
		}
	}
	if better >= k.limits.Copies {
		k.sayHolders(now, e, without(k.list(e), k.me))
		k.destroy(e, nil)
	}
}

// letGo takes in that a holder names the holders without itself: it has let go of
// its copy, or is about to stop and has found another in its place.
func (e *entry) letGo(p protocols.Key, named []protocols.Key) bool {
	s := e.share(p)
	if s == nil || s.failed || slices.Contains(named, p) {
		return false
	}
	s.lose()
	return true
}
