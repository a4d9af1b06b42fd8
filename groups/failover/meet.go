package failover

import (
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// meeting is what a hub knows of another hub of its group.
type meeting struct {
	foreign *Branch
	vouched bool // another than its hub said that it follows it
	since   time.Time
	meetAt  time.Time
}

// noteForeign notes that another branch lives.
func (m *Machine) noteForeign(now time.Time, from protocols.Key, b *Branch) {
	cur := m.d.Current
	if b.Term() == cur.Term() || cur.joins(b.Term()) && m.eligible(now, b) || b.Primary() == m.self && b.Record.Number <= cur.Record.Number {
		return
	}
	l := &m.lead
	if l.foreign != nil && b.Term() == l.foreign.Term() && from != b.Primary() {
		l.vouched = true
	}
	if l.foreign != nil && !m.higher(b, l.foreign) {
		return
	}
	if l.foreign == nil || l.foreign.Primary() != b.Primary() {
		l.since, l.meetAt = now, now
		l.vouched = from != b.Primary()
	}
	l.foreign = b
}

// attaches returns the newest attach of each follower.
func (m *Machine) attaches() []*wire.Attach {
	var list []*wire.Attach
	for _, k := range m.members {
		if p := m.peers[k]; p != nil && p.attach != nil && len(list) < wire.MaxEvidence {
			list = append(list, p.attach)
		}
	}
	return list
}

// speak returns this hub's branch, with all that speaks for it, for one that leads
// another.
func (m *Machine) speak(now time.Time, to *Branch) *wire.HubRecordFrame {
	return m.evidence(now, m.d.Current, m.attaches(), to)
}

// meet tells the other hub how many follow this one, again and again. One that
// does not answer for two timeouts is merged without it.
func (m *Machine) meet(now time.Time) {
	l := &m.lead
	l.meetAt = now.Add(m.beat)
	if l.vouched && !m.eligible(now, l.foreign) && m.bringHome(now, l.foreign) {
		l.foreign = nil
		return
	}
	if l.foreign.Primary() == m.self || now.Sub(l.since) > 2*m.tenths(missTenths) {
		other := l.foreign
		l.foreign = nil
		switch {
		case other.Primary() == m.self || l.vouched && other.Record.Number >= m.d.Current.Record.Number:
			m.merge(now, other)
		case !l.vouched: // nobody follows it, and it does not meet
			m.event(Disbelieved, other)
		}
		return
	}
	m.send(l.foreign.Primary(), &wire.Meet{HubRecordFrame: *m.speak(now, l.foreign)})
}

// merge opens a term that joins another branch to this one.
func (m *Machine) merge(now time.Time, other *Branch) {
	cur, attaches := m.d.Current, m.attaches()
	place, hash := m.cfg.Log()
	h := wire.HubRecord{
		Group: m.cfg.Group, Number: max(cur.Record.Number, other.Record.Number) + 1, Version: 1,
		Shadow: cur.Record.Shadow, Candidate: cur.Record.Candidate,
		Links: []wire.HubHash{cur.Record.Hash(), other.Record.Hash()}, Cause: wire.CauseMerge, Seq: place.Seq, Log: hash,
	}
	r := m.signed(h, nil)
	b := &Branch{Record: r, Opened: r, Links: []*wire.HubRecord{cur.Record, other.Record}}
	peers := m.peers
	m.event(Merged, b)
	m.follow(now, b)
	m.peers = peers
	f := m.evidence(now, b, attaches, other)
	m.toAll(f)
	if !m.hears(other.Primary()) { // it may not know that it is none any more
		m.send(other.Primary(), f)
	}
}

// counts returns how many members follow a, with the attaches x, and b, with y:
// each counted where its newest attach is, the two hubs, if they are members, where
// they lead. Who was kicked counts too: the other side may not have heard of that,
// and both have to come to the same.
func (m *Machine) counts(a *Branch, x []*wire.Attach, b *Branch, y []*wire.Attach) (ca, cb int) {
	known := func(k protocols.Key) bool { return m.counted(k) || a.member(k) || b.member(k) }
	newest := make(map[protocols.Key]wire.Millis)
	for _, t := range y {
		if known(t.Member) {
			newest[t.Member] = max(newest[t.Member], t.Time)
		}
	}
	delete(newest, a.Primary())
	delete(newest, b.Primary())
	cb = len(newest)
	counted := make(map[protocols.Key]bool)
	for _, t := range x {
		if t.Member == a.Primary() || t.Member == b.Primary() || counted[t.Member] || !known(t.Member) {
			continue
		}
		counted[t.Member] = true
		at, both := newest[t.Member]
		switch {
		case !both:
			ca++
		case t.Time > at:
			ca++
			cb--
		}
	}
	if known(a.Primary()) {
		ca++
	}
	if known(b.Primary()) {
		cb++
	}
	return ca, cb
}

// OnMeet takes another hub's branch and those who follow it.
func (m *Machine) OnMeet(now time.Time, v wire.Verifier, from protocols.Key, b *Branch, attaches []*wire.Attach) {
	m.checkLate(now)
	defer m.schedule(now)
	if b.Record.Group != m.cfg.Group || b.Primary() != from || b.Term() == m.d.Current.Term() {
		return
	}
	if !m.Leads() {
		m.stranger(now, from)
		return
	}
	if !m.mayMeet(now, v, b) {
		return
	}
	cur := m.d.Current
	if !m.eligible(now, b) {
		m.meetIneligible(now, b)
		return
	}
	if m.unfit(now) {
		m.follow(now, b)
		return
	}
	if !m.higher(cur, b) { // the other decides
		m.send(from, &wire.Meet{HubRecordFrame: *m.speak(now, b)})
		return
	}
	if m.stands(cur, of(cur, m.attaches()), b, of(b, attaches)) {
		m.lead.foreign = nil
		if cur.joins(b.Term()) { // it was merged without knowing
			m.send(from, m.speak(now, b))
		} else {
			m.merge(now, b)
		}
		return
	}
	if m.lead.claim && m.followers() == 0 && len(cur.Links) == 1 && cur.Links[0].Term() == b.Term() && m.d.Previous != nil {
		m.withdraw(now)
		return
	}
	m.send(from, &wire.Yield{HubRecordFrame: *m.speak(now, b)})
}

// meetIneligible brings home those who follow a hub that may be none: by an
// admin's record, or as long as no admin answers by a merge, which a hub that
// does not know of its being kicked may agree to.
func (m *Machine) meetIneligible(now time.Time, b *Branch) {
	if m.bringHome(now, b) {
		m.lead.foreign = nil
		return
	}
	if m.d.Current.joins(b.Term()) {
		m.send(b.Primary(), m.speak(now, b))
		return
	}
	m.merge(now, b)
}

// mayMeet says whether a branch is one to be met. One whose hub was kicked, or
// condemned, is, if a member says that it follows it: it is to be brought home.
func (m *Machine) mayMeet(now time.Time, v wire.Verifier, b *Branch) bool {
	l := &m.lead
	known := l.foreign != nil && l.vouched && l.foreign.Term() == b.Term()
	return m.sound(v, b) && (known || m.eligible(now, b))
}

// stands says whether the higher branch a stands against b.
func (m *Machine) stands(a *Branch, x []*wire.Attach, b *Branch, y []*wire.Attach) bool {
	if m.byAdmin(a) != m.byAdmin(b) {
		return m.byAdmin(a)
	}
	ca, cb := m.counts(a, x, b, y)
	return ca >= cb
}

// of leaves the attaches that are to the branch, or to the one that its hub had
// before it merged: members that have not heard of the merge follow it still.
func of(b *Branch, attaches []*wire.Attach) []*wire.Attach {
	var list []*wire.Attach
	for _, a := range attaches {
		merged := b.Opened.Cause == wire.CauseMerge && a.Opened == b.Links[0].Term().Opened
		if merged || a.Opened == b.Term().Opened {
			list = append(list, a)
		}
	}
	return list
}

// OnYield takes the word of a hub that this one's branch stands.
func (m *Machine) OnYield(now time.Time, v wire.Verifier, from protocols.Key, b *Branch) {
	m.checkLate(now)
	defer m.schedule(now)
	if !m.Leads() || b.Record.Group != m.cfg.Group || b.Primary() != from || b.Term() == m.d.Current.Term() || !m.mayMeet(now, v, b) {
		return
	}
	if !m.eligible(now, b) {
		m.meetIneligible(now, b)
		return
	}
	m.lead.foreign = nil
	m.merge(now, b)
}
