package storm

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// act does what the keeper wants done, and comes back at its deadline.
func (n *Node) act() {
	if !n.up {
		return
	}
	for again := true; again; {
		r := n.keeper.Ready()
		again = n.do(&r)
	}
	n.wake()
}

func (n *Node) wake() {
	at := n.keeper.Deadline()
	if at.IsZero() || !n.woken.IsZero() && !n.woken.Before(n.w.now) && !at.Before(n.woken) {
		return
	}
	n.woken = at
	n.later(max(at.Sub(n.w.now), 0), func() {
		if !n.woken.Equal(at) {
			return // it was woken sooner, and has another deadline since
		}
		n.woken = time.Time{}
		n.keeper.Tick(n.w.now)
		n.act()
	})
}

// do says whether anything was to be done.
func (n *Node) do(r *backup.Ready) (any bool) {
	for _, d := range r.Destroy {
		any = true
		n.destroy(d)
	}
	for _, d := range r.Forget {
		any = true
		n.remove(d)
	}
	for _, d := range r.Listed {
		n.remember(d)
	}
	for _, d := range r.Placed {
		if p, ok := n.keeper.Placement(d); ok && p.Enough {
			n.w.about[d].Stored = true
		}
	}
	for _, raw := range r.Ended {
		any = true
		n.receipt(raw)
	}
	for _, t := range r.Tell {
		author := n.w.byKey[t.Author]
		if reach(n, author) {
			n.w.carry(n, author, func() { author.receipt(t.Receipt) })
		}
	}
	for _, to := range r.Look {
		any = true
		n.keeper.Candidates(n.w.now, to, n.known())
	}
	for _, p := range r.Push {
		n.push(p)
	}
	for _, to := range r.Seek {
		o := n.w.byKey[to]
		n.later(n.w.between(100*time.Millisecond, time.Second), func() {
			if reach(n, o) {
				connect(n, o)
			}
		})
	}
	for _, q := range r.Ask {
		n.ask(q)
	}
	return any
}

// remember writes down who else holds a copy, or an own message.
func (n *Node) remember(d envelope.Digest) {
	holders, _, ok := n.keeper.HoldersOf(d)
	if m := n.w.about[d]; ok && m.From == n.key {
		m.Holders = holders
	} else if c := n.copies[d]; ok && c != nil {
		c.item.Holders = holders
	}
}

func (n *Node) destroy(d backup.Destruction) {
	c := n.copies[d.Digest]
	switch {
	case c == nil: // it had not reached the disk
	case d.Receipt == nil:
		n.remove(d.Digest)
	default:
		c.receipt = d.Receipt
		n.w.about[d.Digest].copies.drop(n.index)
	}
}

func (n *Node) push(p backup.Push) {
	to := n.w.byKey[p.To]
	if to == nil || !reach(n, to) {
		return
	}
	n.w.carry(n, to, func() { to.receive(n, p.Digests) })
}

// ask puts a question to a peer. Half of those who are not there are noticed at
// once, the others by their silence.
func (n *Node) ask(q backup.Question) {
	to := n.w.byKey[q.To]
	if !reach(n, to) {
		if n.w.rand.IntN(2) == 0 {
			n.later(100*time.Millisecond, func() {
				n.keeper.Unanswered(n.w.now, q.N)
				n.act()
			})
		}
		return
	}
	if _, ok := q.Frame.(*backup.Audit); ok {
		n.w.Audits++
	}
	run := n.run
	n.w.carry(n, to, func() {
		to.serve(n, q, func(r *backup.Reply) {
			n.w.carry(to, n, func() {
				if n.run != run {
					return
				}
				n.keeper.Replied(n.w.now, to.key, q.N, r)
				n.act()
			})
		})
	})
}

// serve answers a question.
func (n *Node) serve(asker *Node, q backup.Question, reply func(*backup.Reply)) {
	n.w.note('q', uint64(n.index), uint64(asker.index), uint64(q.N))
	r := &backup.Reply{Answer: backup.Answer{Code: backup.Done}}
	now := n.w.now
	switch f := q.Frame.(type) {
	case *backup.Store:
		n.serveStore(asker, q, f, reply)
		return
	case *backup.Audit:
		a, prove := n.keeper.AuditAsked(asker.key, q.Digest)
		if r.Proved = prove && n.copies[q.Digest] != nil; prove {
			a = &backup.Answer{Code: backup.Hash}
		}
		r.Answer = *a
	case *backup.Offer:
		r.Answer = *n.keeper.OfferAsked(now, asker.key, f)
	case *backup.Holders:
		r.Answer = *n.keeper.HoldersAsked(now, asker.key, f)
	case *backup.Drop:
		n.keeper.Receipt(now, asker.key, n.w.words[string(f.Receipt)], f.Receipt)
	}
	reply(n.w.words.verify(r))
	n.act()
}

func (n *Node) serveStore(asker *Node, q backup.Question, f *backup.Store, reply func(*backup.Reply)) {
	it := n.w.about[q.Digest].Item
	it.Asker, it.Holders = asker.key, f.Holders
	answer, keep := n.keeper.StoreAsked(n.w.now, it)
	n.act()
	if !keep {
		reply(n.signed(q, answer))
		return
	}
	n.later(diskTime, func() {
		n.put(it)
		answer := n.keeper.Kept(n.w.now, q.Digest, true)
		n.act()
		switch answer.Code { // it may have ended on its way to the disk
		case backup.Stored:
		case backup.Gone:
			n.destroy(backup.Destruction{Digest: q.Digest, Receipt: answer.Receipts[0]})
		default:
			n.remove(q.Digest)
		}
		reply(n.signed(q, answer))
	})
}

// signed makes a reply of an answer to a store.
func (n *Node) signed(q backup.Question, a *backup.Answer) *backup.Reply {
	r := &backup.Reply{Answer: *a}
	if end, ok := n.keeper.Copy(q.Digest); ok && a.Code == backup.Stored {
		r.Storage = &backup.Storage{Holder: n.key, Digest: q.Digest, End: uint64(end.UnixMilli())}
	}
	return n.w.words.verify(r)
}

// Key of a node.
func (n *Node) Key() protocols.Key { return n.key }
