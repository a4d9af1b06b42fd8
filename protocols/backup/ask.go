package backup

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/internal/timers"
)

// asked is a question that is not answered.
type asked struct {
	n      Number
	to     protocols.Key
	frame  Frame
	digest envelope.Digest   // what a store or an audit is about
	ended  []envelope.Digest // the own messages that a drop is about
	late   timers.Timer
}

// ask sends a question; e is what it is about, if it is about one envelope.
func (k *Keeper) ask(now time.Time, to protocols.Key, f Frame, e *entry, patience time.Duration) {
	k.last++
	q := &asked{n: k.last, to: to, frame: f}
	question := Question{N: q.n, To: to, Frame: f}
	if e != nil {
		q.digest = e.Digest
		question.Digest, question.ID, question.Own = e.Digest, e.ID, e.is == own
	}
	q.late.Fire = func(now time.Time) { k.Unanswered(now, q.n) }
	k.timers.Arm(&q.late, now.Add(patience))
	k.asked[q.n] = q
	k.ready.Ask = append(k.ready.Ask, question)
}

// Reply is an answer whose signed parts are verified.
type Reply struct {
	Answer
	Storage  *Storage       // Stored: what Answer.Storage says; nil if it does not verify
	Proved   bool           // Hash: it is the proof that was asked for
	Receipts []*ack.Receipt // Gone: those of Answer.Receipts that verify
	Raw      [][]byte       // Gone: as they were signed
}

// Replied takes an answer that came from the peer to question n. It says whether
// the peer was asked that.
func (k *Keeper) Replied(now time.Time, from protocols.Key, n Number, r *Reply) bool {
	q, ok := k.asked[n]
	if !ok || q.to != from {
		return false
	}
	k.settle(q)
	if r.Code == Gone {
		for i, receipt := range r.Receipts {
			k.Receipt(now, from, receipt, r.Raw[i])
		}
	}
	switch q.frame.(type) {
	case *Drop:
		k.told(from, q.ended)
	case *Store:
		k.storeReplied(now, q, r)
	case *Audit:
		k.auditReplied(now, q, r)
	case *Offer:
		k.offerReplied(now, q, r)
	}
	if f, ok := k.fellows[from]; ok {
		k.sign(now, f)
	}
	k.pump(now)
	return true
}

// Unanswered says that a question did not get through, or was not answered.
func (k *Keeper) Unanswered(now time.Time, n Number) {
	q, ok := k.asked[n]
	if !ok {
		return
	}
	k.settle(q)
	if _, ok := q.frame.(*Store); ok {
		k.storeFailed(now, q)
	}
	if f, ok := k.fellows[q.to]; ok {
		k.missed(now, f)
	}
	k.pump(now)
}

// Unasked says that a question could not be put for a reason of this node's own.
func (k *Keeper) Unasked(now time.Time, n Number) {
	q, ok := k.asked[n]
	if !ok {
		return
	}
	k.settle(q)
	if _, ok := q.frame.(*Store); ok {
		k.storeFailed(now, q)
	}
	if f, ok := k.fellows[q.to]; ok && !f.watch.Armed() {
		k.watchOn(now, f)
	}
	k.pump(now)
}

// settle takes a question off the list.
func (k *Keeper) settle(q *asked) {
	k.timers.Stop(&q.late)
	delete(k.asked, q.n)
	switch q.frame.(type) {
	case *Store:
		k.stores--
	case *Audit, *Offer:
		if f, ok := k.fellows[q.to]; ok {
			f.asked = false
		}
	}
}

// auditReplied judges an audit. Who cannot show an envelope does not count as
// its holder.
func (k *Keeper) auditReplied(now time.Time, q *asked, r *Reply) {
	e, ok := k.byDigest[q.digest]
	if !ok {
		return
	}
	s := e.share(q.to)
	if s == nil || r.Code == Gone {
		return // gone, but the receipt was no good: it has it or not, and is asked again
	}
	if r.Proved {
		known := s.proved
		s.prove()
		k.distrust.shown(q.to)
		if !known {
			k.shown(now, e)
		}
	} else if !s.failed {
		k.distrust.failed(now, q.to)
		s.lose()
		k.consider(now, e)
		k.news(e)
	}
	k.surplus(now, e)
}

// offerReplied forgets who does not have what it was thought to have.
func (k *Keeper) offerReplied(now time.Time, q *asked, r *Reply) {
	if r.Code != Wanted {
		return
	}
	for _, d := range r.Wanted {
		e, ok := k.byDigest[d]
		if !ok {
			continue
		}
		for i := range e.holders {
			if e.holders[i].fellow.key == q.to {
				k.removeHolder(e, i)
				k.consider(now, e)
				break
			}
		}
	}
}
