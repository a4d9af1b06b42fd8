package groups

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/roster"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/message"
)

// The own chain goes to members by the hub, which knows the prekeys of all who are
// connected to it: each member is found, dialled, and kept mail for by it already. Who
// is away, or does not show soon that it has the chain, gets it by post, and so does
// everybody while there is no hub.
const (
	giveTime   = 20 * time.Second
	prekeyTime = 3 * time.Second       // for the hub to tell prekeys, and then more of them
	evidence   = 3 * time.Second       // for a member to open a message by what the hub passed on
	evidenceOf = 30 * time.Millisecond // the same for each member of the group: if that is longer
	boxLife    = 2 * time.Minute       // of what is passed on; a member's clock may be a little wrong
)

// give lets members have the own chain that do not have it, beside the room's
// goroutine: the hub is waited for, and the post waits for the disk. Who was given it
// before is given the same again: messages have been sealed since.
func (k *keys) give(now time.Time) {
	hub := k.r.seat.Branch().Primary()
	k.follow(hub)
	if k.overdue(now); k.own == nil || k.giving {
		return
	}
	to := k.lacking()
	if len(to) == 0 {
		return
	}
	k.giving = true
	body, chain := k.body(), k.own.State().Chain
	var post, hand []letter
	for _, p := range to {
		if k.issued[p] == nil {
			k.issued[p] = body
		}
		if l := (letter{p, k.issued[p]}); k.byPost[p] {
			post = append(post, l)
		} else {
			hand = append(hand, l)
		}
	}
	k.r.s.work.Go(func() {
		handed, others := k.r.hand(hub, hand)
		posted := k.r.s.postAll(append(post, others...))
		k.r.post(func(now time.Time) { k.gave(now, chain, handed, posted) })
	})
}

// letter is a key for a member.
type letter struct {
	to   protocols.Key
	body []byte
}

// follow has what the hub before may not have passed on be given to this one.
func (k *keys) follow(hub protocols.Key) {
	if k.hub != hub && !k.giving {
		k.hub = hub
		clear(k.handed)
	}
}

// hand gives keys to the hub for their members, and returns those that it did not.
func (r *room) hand(hub protocols.Key, list []letter) (handed []protocols.Key, others []letter) {
	b := r.s.cfg.Boxes
	if b == nil || hub != r.s.self && !r.s.cfg.Lines.Connected(hub) {
		return nil, list
	}
	boxes := r.seal(list)
	if unknown := without(list, boxes); len(unknown) > 0 && r.askPrekeys(hub, unknown) {
		maps.Copy(boxes, r.seal(unknown))
	}
	passed := make(map[protocols.Key][]byte)
	for part := range slices.Chunk(slices.Collect(maps.Keys(boxes)), wire.MaxBoxes) {
		for _, p := range r.handSome(hub, part, boxes) {
			passed[p] = boxes[p]
			handed = append(handed, p)
		}
	}
	return handed, without(list, passed)
}

// seal seals keys for those whose prekeys are known: most are the same.
func (r *room) seal(list []letter) map[protocols.Key][]byte {
	to := make(map[string][]protocols.Key) // by body
	for _, l := range list {
		to[string(l.body)] = append(to[string(l.body)], l.to)
	}
	boxes := make(map[protocols.Key][]byte, len(list))
	for body, members := range to {
		maps.Copy(boxes, r.s.cfg.Boxes.Seal(members, message.TypeSenderKey, []byte(body), boxLife))
	}
	return boxes
}

// without returns the letters to those for whom there is no box.
func without(list []letter, boxes map[protocols.Key][]byte) (rest []letter) {
	for _, l := range list {
		if boxes[l.to] == nil {
			rest = append(rest, l)
		}
	}
	return rest
}

// handSome gives boxes to the hub in one frame, or to their members if this node is
// the hub, and says whose are on their way.
func (r *room) handSome(hub protocols.Key, to []protocols.Key, boxes map[protocols.Key][]byte) (handed []protocols.Key) {
	if hub == r.s.self {
		return slices.DeleteFunc(to, func(p protocols.Key) bool { return !r.passTo(p, boxes[p]) })
	}
	f := wire.OwnKeys(r.id)
	for _, p := range to {
		f.Boxes = append(f.Boxes, boxes[p])
	}
	if !r.reply(hub, f) {
		return nil
	}
	return to
}

// askPrekeys asks the hub for the prekeys of some members, and waits for them as long
// as more of them come, but no longer than the post may take: a hub that tells them one
// by one holds up what is written for as long.
func (r *room) askPrekeys(hub protocols.Key, list []letter) bool {
	if hub == r.s.self {
		return false // it has told all that it knows
	}
	of := make([]protocols.Key, len(list))
	for i, l := range list {
		of[i] = l.to
	}
	more, all := r.wanted.begin(hub, of)
	for part := range slices.Chunk(of, wire.MaxPrekeys) {
		if !r.reply(hub, &wire.WantPrekeys{Group: r.id, Of: part}) {
			return false
		}
	}
	ctx, cancel := context.WithTimeout(r.s.ctx, giveTime)
	defer cancel()
	late := time.NewTimer(prekeyTime)
	defer late.Stop()
	for {
		select {
		case <-more:
			late.Reset(prekeyTime)
		case <-all:
			return true
		case <-late.C:
			return true
		case <-ctx.Done():
			return r.s.ctx.Err() == nil
		}
	}
}

// postAll sends keys to members by post, and says who will get theirs.
func (s *Service) postAll(list []letter) (ok []protocols.Key) {
	ctx, cancel := context.WithTimeout(s.ctx, giveTime)
	defer cancel()
	results := make([]bool, len(list))
	slots := make(chan struct{}, maxGiving)
	for i, l := range list {
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			err := s.cfg.Post(ctx, l.to, message.TypeSenderKey, l.body)
			if results[i] = err == nil; err != nil {
				logger.Debugw("sender key not sent", "peer", l.to, "err", err)
			}
		}()
	}
	for range maxGiving {
		slots <- struct{}{}
	}
	for i, l := range list {
		if results[i] {
			ok = append(ok, l.to)
		}
	}
	return ok
}

// gave notes who has the chain, or will have it, and writes what waited for it.
func (k *keys) gave(now time.Time, chain wire.ChainID, handed, posted []protocols.Key) {
	k.giving = false
	defer clear(k.unpassed)
	if k.own.State().Chain == chain {
		for _, p := range posted {
			k.given[p] = true
			delete(k.byPost, p)
		}
		for _, p := range handed {
			if k.handed[p] = (handing{now, k.newest}); k.unpassed[p] {
				k.lost(p)
			}
		}
		k.outNew = true
		k.watch(now)
	}
	if len(handed)+len(posted) == 0 && len(k.lacking()) > 0 { // the outbox is full, or the node ends
		queue := k.queue
		k.queue = nil
		for _, d := range queue {
			d.done(wire.RecordID{}, ErrBusy)
		}
		return
	}
	k.writeQueued(now)
}

// watch sets the time by which those have to show that they have the chain whom the
// hub passed it on to.
func (k *keys) watch(now time.Time) {
	if k.showBy.IsZero() && len(k.handed) > 0 {
		k.showBy = now.Add(k.evidence())
	}
}

// evidence is how long members have to show that they have the chain. Of many who are
// given many at once none is fast; and of a few one that has crashed is not to be
// without it for longer than it must.
func (k *keys) evidence() time.Duration {
	return max(evidence, time.Duration(k.r.seat.Ledger().Fold().Len())*evidenceOf)
}

// handing is a key that the hub has to pass on: since when, and what was the newest
// message then. One that came later shows who has the key.
type handing struct {
	at     time.Time
	before wire.RecordName
}

// untried says that no message was sealed since the hub was given the key for a
// member: it can show nothing, and lacks nothing.
func (k *keys) untried(p protocols.Key) bool {
	h, handed := k.handed[p]
	return !k.given[p] && (!handed || h.before == k.newest)
}

// shown notes that a member has the chain.
func (k *keys) shown(p protocols.Key) {
	if _, ok := k.handed[p]; ok {
		delete(k.handed, p)
		k.given[p] = true
		k.outNew = k.outNew || len(k.handed) == 0 // else with what is next written: to be given it twice does no harm
	}
}

// overdue has the chain posted to those who have not shown that they have it.
func (k *keys) overdue(now time.Time) {
	if k.showBy.IsZero() || now.Before(k.showBy) {
		return
	}
	k.showBy = time.Time{}
	for p, h := range k.handed {
		age := now.Sub(h.at)
		switch {
		case k.untried(p):
			k.handed[p] = handing{now, h.before}
		case age >= k.evidence() || age < 0:
			k.lost(p)
		}
	}
	k.watch(now)
}

// away takes that the hub could not pass the chain on to some members.
func (k *keys) away(hub protocols.Key, list []protocols.Key) {
	if hub != k.r.seat.Branch().Primary() {
		return
	}
	for _, p := range list {
		if _, ok := k.handed[p]; ok {
			k.lost(p)
		} else if k.giving && k.issued[p] != nil {
			k.unpassed[p] = true
		}
	}
}

// lost has a member given the chain by post.
func (k *keys) lost(p protocols.Key) {
	delete(k.handed, p)
	k.byPost[p] = true
}

// boxed takes a key that the hub passed on. It may have come before what says that its
// owner is a member.
func (k *keys) boxed(now time.Time, from protocols.Key, key wire.SenderKey) {
	err := k.r.keyCame(now, from, key)
	if errors.Is(err, ErrBusy) && len(k.early) < maxEarlyBoxes {
		k.early[from] = key
	}
}

// knowEarly takes the keys whose owners are members by now, and drops those whose
// owners are not though their roster is known.
func (k *keys) knowEarly(f *roster.Fold) {
	for from, key := range k.early {
		switch {
		case f.Member(from):
			delete(k.early, from)
			_ = k.r.keyCame(k.r.s.cfg.Now(), from, key)
		case key.Roster <= f.Version():
			delete(k.early, from)
		}
	}
}

// outHanded are the keys to be posted after a start, should nothing be heard before of
// whom the hub was to pass them on to.
func (k *keys) outHanded() (list []handedKey) {
	at := make(map[string]int) // by body
	for p, body := range k.issued {
		if k.given[p] {
			continue
		}
		i, ok := at[string(body)]
		if !ok {
			i = len(list)
			at[string(body)] = i
			list = append(list, handedKey{Body: body})
		}
		list[i].To = append(list[i].To, p)
	}
	return list
}

// resume goes on with those keys.
func (k *keys) resume(list []handedKey) {
	for _, h := range list {
		for _, p := range h.To {
			k.byPost[p], k.issued[p] = true, h.Body
		}
	}
}
