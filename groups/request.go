package groups

import (
	"context"
	"maps"
	"time"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/senderkey"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/message"
)

// The hub or the post brings every key, or its day is over. Should one be missing all
// the same, because a disk was lost or an envelope ended too soon, its owner is asked,
// and nobody else, for only the owner knows whom it gave the key; but not while the hub
// still passes keys on, as when all begin to write at once: the one that is missing may
// be among them.
const (
	requestAfter  = 15 * time.Second    // a record waits before its key is asked for, and asked for again; doubles
	requestSeldom = 10 * time.Minute    // between two requests for one chain, at most
	answerEvery   = time.Minute         // between two answers to one member
	maxRequests   = 64                  // at once
	maxRequestsOf = senderkey.MaxChains // chains of one owner
)

// lack is a chain that is not here. Others may write under its id too, and before its
// owner does: it is one of who wrote.
type lack struct {
	owner protocols.Key
	chain wire.ChainID
}

// request asks the owners of chains for which records have waited too long.
func (k *keys) request(now time.Time) {
	if len(k.waiting) == 0 || now.Before(k.look) {
		return
	}
	k.look = now.Add(requestAfter)
	lacking := make(map[lack]*unopened) // what waits for it longest
	for _, x := range k.waiting {
		m, err := wire.ParseMessage(x.record.Payload)
		if err != nil {
			continue
		}
		l := lack{x.record.Author, m.Chain}
		if other := lacking[l]; other == nil || x.since.Before(other.since) {
			lacking[l] = x
		}
	}
	maps.DeleteFunc(k.requested, func(l lack, _ *member.Repeat) bool { return lacking[l] == nil })
	of := make(map[protocols.Key]int) // chains that an owner is asked for
	for l := range k.requested {
		of[l.owner]++
	}
	fold, asked := k.r.seat.Ledger().Fold(), 0
	for l, x := range lacking {
		if asked == maxRequests || !k.overlong(now, x.since) || !fold.Member(l.owner) || !k.asks(now, l, of) {
			continue
		}
		asked++
		body := (&wire.KeyRequest{Group: k.r.id, Chain: l.chain, Author: l.owner, Record: x.record.ID}).Append(nil)
		k.r.s.work.Go(func() { k.r.s.postOne(l.owner, message.TypeKeyRequest, body) })
	}
}

// asks says whether a chain is to be asked for now.
func (k *keys) asks(now time.Time, l lack, of map[protocols.Key]int) bool {
	again := k.requested[l]
	if again == nil {
		if of[l.owner] >= maxRequestsOf {
			return false
		}
		of[l.owner]++
		again = &member.Repeat{First: requestAfter, Last: requestSeldom}
		again.Begin(now)
		k.requested[l] = again
	}
	return again.Turn(now)
}

// overlong says that a record has waited too long for its key.
func (k *keys) overlong(now, since time.Time) bool {
	idle := min(now.Sub(since), now.Sub(k.moving))
	return idle >= requestAfter || now.Sub(since) >= boxLife
}

func (s *Service) postOne(to protocols.Key, contentType string, body []byte) {
	ctx, cancel := context.WithTimeout(s.ctx, giveTime)
	defer cancel()
	if err := s.cfg.Post(ctx, to, contentType, body); err != nil {
		logger.Debugw("not sent", "peer", to, "type", contentType, "err", err)
	}
}

// keyRequested answers a member that lacks this node's chain: with what was made
// for it, until it has opened something by it, and then with the chain as it
// stands. Who came in later, or is no member, gets nothing by asking.
func (r *room) keyRequested(now time.Time, from protocols.Key, q *wire.KeyRequest) {
	k := r.keys
	if q.Author != r.s.self || k.own == nil || k.own.State().Chain != q.Chain || !k.grants.has(from) || !r.seat.Ledger().Fold().Member(from) {
		return
	}
	if now.Sub(k.answered[from]) < answerEvery {
		return
	}
	k.answered[from] = now
	body := k.grants.of[from].body
	if body == nil {
		body = k.body()
	}
	r.s.work.Go(func() { r.s.postOne(from, message.TypeSenderKey, body) })
}

// body is the chain as it stands now, as it is given to members.
func (k *keys) body() []byte { return k.bodyOf(k.own) }

func (k *keys) bodyOf(chain *senderkey.Sending) []byte {
	key := chain.Key()
	key.Group, key.Secret, key.SecretVersion = k.r.id, k.r.place.Secret, k.r.place.SecretVersion
	key.Head = k.r.seat.Head()
	return key.Append(nil)
}

// opened forgets what was made for a member, when it has opened a message that was
// sealed since: then it has the chain. That one has is said by a receipt which is not
// verified.
func (k *keys) opened(now time.Time, x *wire.Receipt) {
	g := k.grants.of[x.Member]
	if g == nil || g.body == nil || !g.tried {
		return
	}
	seq, ok := k.r.seat.Ledger().Log().Find(g.shows)
	if ok && x.Covers(seq) && k.r.seat.Has(x.Member, seq) {
		k.has(now, x.Member)
		k.watch(now)
	}
}
