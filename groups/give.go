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
// is away gets it by post, and so does who does not show soon that it has the chain:
// but not while something still comes of what the hub was given, for the post costs
// many times as much, and a hub that is slow because of all these keys would get no
// faster by it. While the hub is lost the next one is waited for, as long as it takes
// to find one.
const (
	giveTime  = 20 * time.Second       // for the post
	waitGap   = 3 * time.Second        // for something to come of what the hub was given
	waitGapOf = 100 * time.Millisecond // the same for each of whom it is to come: if that is longer
	waitAll   = 20 * time.Second       // for all of it
	waitAllOf = 200 * time.Millisecond // the same for each member of the group: if that is longer
	hubless   = 10                     // beats that another hub is waited for
	handAgain = 500 * time.Millisecond // between two looks for it
	postAgain = time.Second            // after the post took nothing
	boxLife   = 2 * time.Minute        // of what is passed on; a member's clock may be a little wrong
)

// give lets members have the own chain that do not have it. Who was given it before is
// given the same again: messages have been sealed since.
func (k *keys) give(now time.Time) {
	k.grants.flying.settle()
	k.follow(now)
	k.pay(now)
	k.overdue(now)
	k.hand(now)
	k.mail(now)
}

// letter is a key for a member.
type letter struct {
	to   protocols.Key
	body []byte
	told bool // the hub has told its prekeys
}

// follow has what the hub before may not have passed on be given to this one.
func (k *keys) follow(now time.Time) {
	hub := k.r.seat.Branch().Primary()
	if k.hub == hub {
		return
	}
	if k.hub != (protocols.Key{}) {
		k.followed = now
		k.grants.back(now)
	}
	k.hub = hub
}

// patience is how long another hub is waited for.
func (k *keys) patience() time.Duration {
	beat := time.Duration(k.r.seat.Ledger().Fold().Settings().Beat) * time.Millisecond
	return min(hubless*beat, waitAll)
}

// settling says that this hub is so new that members may not be connected to it yet.
func (k *keys) settling(now time.Time) bool {
	return !k.followed.IsZero() && now.Sub(k.followed) < k.patience()
}

// reaches says whether the hub can be given something.
func (k *keys) reaches() bool {
	return k.hub == k.r.s.self || k.r.s.cfg.Lines.Connected(k.hub)
}

// hand has boxes made for those who are to be given the chain by the hub, beside the
// room's goroutine.
func (k *keys) hand(now time.Time) {
	switch {
	case k.grants.count[lacks]+k.grants.count[told]+k.grants.count[later] == 0:
		k.again = time.Time{}
		return
	case k.boxing:
		return
	case k.r.s.cfg.Boxes == nil:
		k.grants.take(lacks, toPost, k.body, now)
		return
	case !k.reaches():
		k.hold(now)
		return
	case now.Before(k.again):
		return
	}
	k.lost, k.again = time.Time{}, time.Time{}
	var list []letter
	for _, s := range []step{lacks, later, told} {
		list = append(list, k.grants.take(s, boxing, k.body, now)...)
	}
	chain := k.own.State().Chain
	k.boxing = true
	k.r.s.work.Go(func() {
		boxes := k.r.seal(list)
		k.r.post(func(now time.Time) {
			if k.boxing = false; k.own.State().Chain == chain {
				k.boxed(now, list, boxes)
			}
		})
	})
}

// hold waits for a hub. If none comes the post is all there is.
func (k *keys) hold(now time.Time) {
	if k.lost.IsZero() {
		k.lost = now
	}
	if waited := now.Sub(k.lost); waited >= k.patience() || waited < 0 {
		for _, s := range []step{lacks, later, told} {
			k.grants.take(s, toPost, k.body, now)
		}
		k.again = time.Time{}
		return
	}
	k.again = now.Add(handAgain)
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

// boxed gives boxes to the hub there is now, and asks it for the prekeys of those for
// whom there is none.
func (k *keys) boxed(now time.Time, list []letter, boxes map[protocols.Key][]byte) {
	var sealed, unknown []protocols.Key
	for _, l := range list {
		switch {
		case !k.grants.at(l.to, boxing): // no member any more
		case !k.reaches():
			k.grants.set(l.to, lacks, now)
		case boxes[l.to] != nil:
			sealed = append(sealed, l.to)
		case l.told:
			k.grants.set(l.to, toPost, now)
		default:
			unknown = append(unknown, l.to)
		}
	}
	for part := range slices.Chunk(sealed, wire.MaxBoxes) {
		k.pass(now, part, boxes)
	}
	for part := range slices.Chunk(unknown, wire.MaxPrekeys) {
		k.ask(now, part)
	}
	k.watch(now)
	k.ready(now)
}

// pass gives boxes to the hub in one frame, or to their members if this node is the hub.
func (k *keys) pass(now time.Time, to []protocols.Key, boxes map[protocols.Key][]byte) {
	k.outNew = true
	if k.hub == k.r.s.self {
		for _, p := range to {
			if k.grants.set(p, handed, now); !k.r.passTo(p, boxes[p]) {
				k.away(now, p)
			}
		}
		return
	}
	f := wire.OwnKeys(k.r.id)
	for _, p := range to {
		f.Boxes = append(f.Boxes, boxes[p])
	}
	k.taken(now, to, handed, k.r.reply(k.hub, f))
}

// ask asks the hub for prekeys. Who is hub has told all that it knows.
func (k *keys) ask(now time.Time, of []protocols.Key) {
	if k.hub == k.r.s.self {
		for _, p := range of {
			k.away(now, p)
		}
		return
	}
	k.r.wanted.add(k.hub, of)
	k.taken(now, of, asked, k.r.reply(k.hub, &wire.WantPrekeys{Group: k.r.id, Of: of}))
}

// taken notes what the hub was sent for members, unless the line had no room for it.
func (k *keys) taken(now time.Time, list []protocols.Key, s step, ok bool) {
	if !ok {
		s = toPost
	}
	for _, p := range list {
		k.grants.set(p, s, now)
	}
}

// ready writes what waited, once nobody is without the chain.
func (k *keys) ready(now time.Time) {
	if k.grants.lacking() == 0 {
		k.writeQueued(now)
	}
}

// mail posts the chain, beside the room's goroutine: the post waits for the disk.
func (k *keys) mail(now time.Time) {
	switch {
	case k.grants.count[toPost] == 0:
		k.postAgain = time.Time{}
		return
	case k.posting, now.Before(k.postAgain):
		return
	}
	k.posting, k.postAgain = true, time.Time{}
	list, chain := k.grants.take(toPost, posting, k.body, now), k.own.State().Chain
	k.r.s.work.Go(func() {
		ok := k.r.s.postAll(list)
		k.r.post(func(now time.Time) {
			if k.posting = false; k.own.State().Chain == chain {
				k.mailed(now, list, ok)
			}
		})
	})
}

// mailed notes whom the post brings the chain.
func (k *keys) mailed(now time.Time, list []letter, ok []protocols.Key) {
	for _, p := range ok {
		if k.grants.at(p, posting) {
			k.grants.set(p, given, now)
		}
	}
	k.grants.again(list, now)
	k.outNew = true
	if len(ok) > 0 {
		k.ready(now)
		return
	}
	k.postAgain = now.Add(postAgain) // the outbox is full, or the node ends
	queue := k.queue
	k.queue = nil
	for _, d := range queue {
		d.done(wire.RecordID{}, ErrBusy)
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

// waits is how long those are waited for whom the hub was given something for. Where
// nothing has come of many the hub is slow, or this node is; where it has of all but a
// few, these have crashed, and are not to be without the chain for longer than they must.
func (k *keys) waits() waits {
	members, waited := k.r.seat.Ledger().Fold().Len(), k.grants.count[asked]+k.grants.count[handed]
	return waits{
		gap:   max(waitGap, time.Duration(waited)*waitGapOf),
		all:   max(waitAll, min(time.Duration(members)*waitAllOf, boxLife)),
		quiet: k.patience(), came: k.moving, heard: k.r.seat.Heard(),
	}
}

// watch sets the time by which something has to have come for those who are waited for.
func (k *keys) watch(now time.Time) {
	if by := now.Add(k.waits().gap); k.showBy.IsZero() || by.Before(k.showBy) {
		k.showBy = by
	}
}

// overdue has the chain posted to those who were waited for in vain.
func (k *keys) overdue(now time.Time) {
	if !k.showBy.IsZero() && !now.Before(k.showBy) {
		k.showBy = k.grants.overdue(now, k.waits())
	}
}

// stands takes that an own message has come to stand in the log. Receipts of others may
// have come before.
func (k *keys) stands(now time.Time, seq wire.Seq, name wire.RecordName) {
	tried := k.grants.stands(name, seq, now)
	for _, p := range tried {
		if k.r.seat.Has(p, seq) {
			k.has(now, p)
		}
	}
	if len(tried) > 0 {
		k.watch(now)
	}
}

// has takes that a member has shown that it has the chain.
func (k *keys) has(now time.Time, p protocols.Key) {
	k.grants.shown(p, now)
	k.moving = now
	k.outNew = k.outNew || k.grants.count[handed] == 0 // else with what is next written: to be given it twice does no harm
}

// told takes what the hub says of members: whose prekeys it has told, and who is away.
func (k *keys) told(now time.Time, hub protocols.Key, list, away []protocols.Key) {
	if hub != k.hub {
		return
	}
	k.moving = now
	for _, p := range list {
		if k.grants.at(p, asked) {
			k.grants.set(p, told, now)
		}
	}
	for _, p := range away {
		k.away(now, p)
	}
	k.watch(now)
	k.ready(now)
}

// away takes that the hub cannot pass the chain on to a member. With a new hub it may
// be so for a moment.
func (k *keys) away(now time.Time, p protocols.Key) {
	switch x := k.grants.of[p]; {
	case x == nil || x.step != boxing && x.step != asked && x.step != handed: // not of what it was given
	case k.settling(now):
		k.grants.set(p, later, now)
		k.again = now.Add(handAgain)
	default:
		k.grants.set(p, toPost, now)
	}
}

// unboxed takes a key that the hub passed on. It may have come before what says that its
// owner is a member.
func (k *keys) unboxed(now time.Time, by, from protocols.Key, key wire.SenderKey) {
	if by == k.hub {
		k.moving = now // it is at it
	}
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
	for p, x := range k.grants.of {
		if x.body == nil || x.step == given {
			continue
		}
		i, ok := at[string(x.body)]
		if !ok {
			i = len(list)
			at[string(x.body)] = i
			list = append(list, handedKey{Body: x.body})
		}
		list[i].To = append(list[i].To, p)
	}
	return list
}

// resume goes on with those keys.
func (k *keys) resume(list []handedKey) {
	for _, h := range list {
		for _, p := range h.To {
			k.grants.set(p, toPost, time.Time{})
			k.grants.of[p].body = h.Body
		}
	}
}
