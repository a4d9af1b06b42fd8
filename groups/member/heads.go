package member

import (
	"crypto/sha256"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// OnHead compares a head, of the hub or past it, with those that this node has seen
// in the hub's term, and with its log.
func (m *Member) OnHead(h *wire.Head) {
	if h.Group != m.cfg.Group || h.Term != m.hub.Term || h.Primary != m.hub.Primary {
		return
	}
	m.times.note(h.Time)
	m.starved.signs(h)
	if known := m.heads[h.Seq]; known != nil {
		if known.Equivocates(h) {
			m.forked(known, h, nil)
		}
		return
	}
	if len(m.heads) >= maxHeads {
		m.forgetHeads(h.Seq)
	}
	m.heads[h.Seq] = h
	m.compare(h)
}

func (m *Member) forked(a, b *wire.Head, between []byte) {
	m.ready.Events = append(m.ready.Events, Event{
		Kind: Forked, Proof: &wire.Equivocation{Tag: protocols.TagGroupHead, A: a.Bytes(), B: b.Bytes(), Between: between},
	})
}

// compareUpTo compares the heads that came before the records they are about, which
// now end at a seq and are so many, with the log.
func (m *Member) compareUpTo(last wire.Seq, n int) {
	for s := last - wire.Seq(n) + 1; s < last; s++ {
		if h := m.heads[s]; h != nil {
			m.compare(h)
		}
	}
}

// compare looks whether a head is of another log than this node's, of which the same
// hub signed a later head. A hub that forks may sign for each side at other places
// only, so that no two heads are of one.
func (m *Member) compare(h *wire.Head) {
	hash, held := m.log().HashAt(h.Seq)
	if !held || hash == h.Log {
		return
	}
	later := m.covering(h.Seq)
	if later == nil || later.Seq-h.Seq > wire.MaxEntries {
		return
	}
	between := hash[:]
	for s := h.Seq + 1; s <= later.Seq; s++ {
		e, ok := m.log().At(s)
		if !ok || e.Place.Number != later.Term.Number || e.Place.Primary != later.Primary {
			return
		}
		sum := sha256.Sum256(e.Raw)
		between = append(between, sum[:]...)
	}
	m.forked(later, h, between)
}

// covering returns the first head of the hub's term, behind a seq, that this node's
// log is under; nil for none.
func (m *Member) covering(s wire.Seq) *wire.Head {
	first := m.head
	if first == nil || first.Seq <= s || !m.log().Has(first.Seq, first.Log) {
		return nil
	}
	for at, h := range m.heads {
		if at > s && at < first.Seq && m.log().Has(at, h.Log) {
			first = h
		}
	}
	return first
}

// forgetHeads drops heads that lie far behind the newest, or all if they are of
// no use.
func (m *Member) forgetHeads(newest wire.Seq) {
	for s := range m.heads {
		if s+maxHeads/2 < newest || s > newest {
			delete(m.heads, s)
		}
	}
	if len(m.heads) >= maxHeads {
		clear(m.heads)
	}
}

// Head returns the newest head that this node's log is under, nil for none.
func (m *Member) Head() *wire.Head { return m.head }
