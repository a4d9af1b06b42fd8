package backup

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Place takes on an own message whose recipient is away: it is brought to
// holders, and looked after until Release or its end. Who held it when this node
// last ran is to show or to sign once more that it does; all of them hear of each
// other, and of whoever is chosen beside them.
func (k *Keeper) Place(now time.Time, it Item) {
	if _, ok := k.byDigest[it.Digest]; ok {
		return
	}
	e := k.enter(now, it, own)
	for _, p := range it.Holders {
		if s := k.addHolder(now, e, p); s != nil {
			s.setClaim(true)
		}
	}
	k.consider(now, e)
}

// Promised takes a verified storage receipt that came another way than as the
// answer to a store: a relay that could not pass an own message on keeps it.
func (k *Keeper) Promised(now time.Time, s Storage) {
	e := k.byDigest[s.Digest]
	if e == nil || e.is != own {
		return
	}
	k.stored(now, e, &s)
}

// Release says that an own message is final without a receipt.
func (k *Keeper) Release(d envelope.Digest) {
	if e := k.byDigest[d]; e != nil && e.is == own {
		k.strike(e)
	}
}

// HolderState is how one holder of an own message stands.
type HolderState struct {
	Key  protocols.Key
	End  time.Time // until when it has promised to keep it; zero if it signed to another holder
	Live bool      // it answers, and has shown that it has the message
	Told bool      // it has the receipt that ends it: so it has said, or it was who brought it
}

// Placement is how an own message stands with its holders.
type Placement struct {
	ID      envelope.ID
	Holders []HolderState // who have signed, to this node, now or when it last ran, or to another holder
	Enough  bool          // as many as there should be have, at some time
	Live    int
}

// Placement tells how an own message stands.
func (k *Keeper) Placement(d envelope.Digest) (p Placement, ok bool) {
	e := k.byDigest[d]
	if e == nil || e.is != own {
		return p, false
	}
	p.ID, p.Enough, p.Live = e.ID, e.placed, k.live(e)
	for i := range e.holders {
		s := &e.holders[i]
		p.Holders = append(p.Holders, HolderState{Key: s.fellow.key, End: s.end, Live: s.counts()})
	}
	return p, true
}
