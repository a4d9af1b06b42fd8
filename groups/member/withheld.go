package member

import (
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// A record that the hub neither takes nor refuses nor puts off, although it was
// brought so often and for so long, is withheld: there is an admin's word for
// that. Its author brings it to shadow and admins, who bring it to the hub and see
// what becomes of it.
const (
	withheldAfter = 10 * time.Second
	withheldTries = 4
	maxPast       = 4 // to how many members besides the hub a record is brought
)

// A hub may put a record off, because its author, or all, bring much: but of each it
// takes some all the time. One that takes none for long withholds them, whatever it
// says. So it may be only where the log is so long that it takes no messages.
const (
	fullLeast      = 10_000  // records: half of what the least that leads a group has room for
	fullLeastBytes = 4 << 20 // the same
)

// putOff is how often the hub put records of this node off since it answered one, and
// for how long it was heard since.
type putOff struct {
	times int
	total time.Duration
	heard time.Time // up to when that is counted
}

// full says whether the log may be so long that the hub takes no such record.
func (m *Member) full(k wire.Kind) bool {
	return k == wire.KindMessage && (m.lacks() || m.log().Len() >= fullLeast || m.log().Size() >= fullLeastBytes)
}

// putsOff says whether the hub has put off all that this node writes for too long.
func (m *Member) putsOff() bool {
	p := &m.own.put
	heard := m.heard.Sub(p.heard)
	if p.heard = m.heard; p.times > 0 && heard <= m.tenths(silentTenths) {
		p.total += heard
	}
	return p.times >= withheldTries && p.total >= longestBusy
}

// A hub that is heard, and neither takes what this node brings nor brings it anything,
// may not hear it: a link can carry one way only, for as long as it takes both ends to
// notice. So it is asked something that any hub answers, whoever asks.
const answerTime = 3 * time.Second

// question is what the hub is asked for that.
type question struct {
	asked    time.Time
	answered bool
}

// Answers says whether the hub answers this node, and whether that is known yet. It wants
// to be called each second while the hub seems to withhold something.
func (m *Member) Answers(now time.Time) (answers, known bool) {
	q := &m.question
	if now.Sub(q.asked) >= 2*answerTime { // that was about something else, or long enough ago
		*q = question{asked: now}
	}
	if q.answered {
		return true, true
	}
	m.send(m.hub.Primary, &wire.Alive{Group: m.cfg.Group, Opened: m.hub.Term.Opened})
	return false, now.Sub(q.asked) >= answerTime
}

// Answered notes that the hub sent its record, which this node has: it does when it is
// asked.
func (m *Member) Answered() { m.question.answered = true }

// othersPutOff takes that the hub puts off what another brought here.
func (m *Member) othersPutOff(id wire.RecordID, until time.Time) {
	for n := range m.brought {
		if h := m.kept.lack[n]; n.ID == id && h != nil && m.full(h.record.Kind) {
			m.brought[n] = broughtBy{since: until}
		}
	}
}

// broughtBy is since when a record is here that its author brought past the hub, and
// how often it was offered to the hub, which was heard since.
type broughtBy struct {
	since time.Time
	tries int
}

// Heard says when the hub was heard last. One that was silent meanwhile, though it was
// brought something again and again, could not be reached: what it left unanswered is
// counted anew.
func (m *Member) Heard(at time.Time) {
	if at.Sub(m.heard) > max(withheldAfter/2, m.tenths(2*againTenths)) {
		m.awake = later(m.awake, at)
	}
	m.heard = at
}

// offeredBrought notes that the hub is offered what it lacks, once more.
func (m *Member) offeredBrought(last time.Time) {
	if !m.heard.After(last) {
		return
	}
	for n, b := range m.brought {
		b.tries++
		m.brought[n] = b
	}
}

// bringPast brings records to the shadow and to admins, in case that the hub
// withholds them.
func (m *Member) bringPast(late []*wire.Entry) {
	to := m.hub.Shadow
	m.publishTo(to, late)
	sent, fold := 0, m.cfg.Ledger.Fold()
	for k := range fold.All() {
		if k == m.hub.Primary || k == to || !fold.Admin(k) {
			continue
		}
		if sent++; sent > maxPast {
			return
		}
		m.publishTo(k, late)
	}
}

// Withholds says whether the hub withholds a record of this node, or one that its
// author brought here because of that.
//
// What counts is how long the hub was heard: one that went silent, or cannot be
// reached any more, withholds nothing. Nor does one that has not let this node in yet:
// it may have to wait for the first that follows it. It wants to be called every second or so: one
// that was not stood still, and may find the hub's answers among what came meanwhile.
func (m *Member) Withholds(now time.Time) (name wire.RecordName, yes bool) {
	if now.Sub(m.looked) > withheldAfter/2 {
		m.awake = now
	}
	m.looked = now
	putsOff := m.putsOff()
	heardFor := func(since time.Time) bool { return m.heard.Sub(since) >= withheldAfter }
	if m.hub.Leads || m.removed || !m.cfg.Ledger.Fold().Hears(m.cfg.Self) || !heardFor(later(m.followed, m.awake)) {
		return name, false
	}
	for _, o := range m.own.list {
		if m.own.of[o.record.ID] == o && (putsOff && !m.full(o.record.Kind) || o.tries >= withheldTries && heardFor(later(o.written, o.told))) {
			return o.record.Name(), true
		}
	}
	for n, at := range m.brought {
		switch _, stands := m.log().Find(n); {
		case stands || m.kept.lack[n] == nil:
			delete(m.brought, n)
		case heardFor(at.since) && at.tries >= withheldTries:
			return n, true
		}
	}
	return name, false
}

// othersRefused takes the hub's refusal of what another brought here. It is not
// withheld; what never stood anywhere is let go, for the hub tells its author too.
func (m *Member) othersRefused(now time.Time, f *wire.Refused) {
	for n := range m.brought {
		switch {
		case n.ID != f.Record:
		case f.Reason == envelope.ReasonNotMember, f.Reason == envelope.ReasonQuota, m.held[n] == nil, m.held[n].old != nil:
			m.brought[n] = broughtBy{since: now}
		default:
			delete(m.brought, n)
			m.drop(n)
		}
	}
}
