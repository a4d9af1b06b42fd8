package failover

import (
	"maps"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Who counts, who may be hub, and who may be named to be it next.
//
// Members may be hub, and relays that are none but that the settings list; nobody
// whom a proof condemns. In what is counted of followers, and of reports, those who
// were kicked count too: the other side may not have heard of it. Whom the hub names
// as shadow or candidate must moreover not have failed as one a moment ago.
//
// Whom an admin took the group away from, and who was kicked and came back, is
// displaced for a day, unless nobody else is left: it is named only where there is no
// other, until there is one; it claims, and is followed, when all others had their
// time; and nothing is handed over to it. An admin that names it ends that. Which of
// two branches stands does not hang on it: two hubs must come to the same, and one
// of them may never have heard.
//
// A relay has no voice: it follows, and is counted nowhere; it reports nobody; it
// claims only where a record names it. So no branch that relays alone keep up wins
// over one with a member in it. They are listed because they can be reached and are
// there: the shadow is one of them where one can be named, and the candidate a
// member, should all of them go.

// ineligible is how long one who was condemned may be no hub, and one who was
// displaced only where nobody else is left.
const ineligible = 24 * time.Hour

func (m *Machine) member(k protocols.Key) bool { return m.enrolled[k] }

func (m *Machine) relay(k protocols.Key) bool { return slices.Contains(m.relays, k) }

// hears says whether a node takes part: by what it is told, or by what it says.
func (m *Machine) hears(k protocols.Key) bool { return m.member(k) || m.relay(k) }

func (m *Machine) counted(k protocols.Key) bool { return m.member(k) || slices.Contains(m.kicked, k) }

// sole says that this node is the only member, as far as it knows the log.
func (m *Machine) sole() bool { return len(m.members) == 1 && m.members[0] == m.self && !m.partial }

// eligible says whether the branch's primary may be hub. One who joins believes
// those it knows, and checks the log that it is shown.
func (m *Machine) eligible(now time.Time, b *Branch) bool {
	return (m.partial || m.hears(b.Primary()) || b.hears(b.Primary())) && !m.isCondemned(now, b.Primary())
}

// unfit says that this node leads and knows that it may not: its term has ended
// with the proof, whoever named it, and any hub that may be one is followed.
func (m *Machine) unfit(now time.Time) bool { return m.Leads() && !m.eligible(now, m.d.Current) }

// nameable says whether a node may be shadow or candidate of this hub: one of those
// who are displaced, or else one of the others.
func (m *Machine) nameable(now time.Time, k protocols.Key, displaced bool) bool {
	return k != m.self && !m.peer(k).excluded.After(now) && m.isDisplaced(now, k) == displaced && !m.isCondemned(now, k)
}

// exclude keeps a node from being named for a while.
func (m *Machine) exclude(k protocols.Key, until time.Time) {
	if p := m.peer(k); p.excluded.Before(until) {
		p.excluded = until
	}
}

// isDisplaced says whether a node may be hub only where nobody else is left, and
// somebody is: a member besides the hub.
func (m *Machine) isDisplaced(now time.Time, k protocols.Key) bool {
	return now.Before(m.d.Displaced[k]) && slices.ContainsFunc(m.members, func(x protocols.Key) bool {
		return x != k && x != m.d.Current.Primary() && !now.Before(m.d.Displaced[x]) && !m.isCondemned(now, x)
	})
}

// displace notes that a node is not to be hub for a day.
func (m *Machine) displace(now time.Time, k protocols.Key) {
	m.pardon(func(_ protocols.Key, until time.Time) bool { return now.After(until) })
	m.d.Displaced[k] = now.Add(ineligible)
	m.ready.Save = true
}

// pardon forgets of nodes that they were displaced.
func (m *Machine) pardon(whom func(k protocols.Key, until time.Time) bool) {
	before := len(m.d.Displaced)
	maps.DeleteFunc(m.d.Displaced, whom)
	m.ready.Save = m.ready.Save || len(m.d.Displaced) < before
}

// noteAdmin notes whom a branch displaces, if an admin opened it. Whom the admin
// names is displaced no more.
func (m *Machine) noteAdmin(now time.Time, b *Branch) {
	if !m.byAdmin(b) {
		return
	}
	m.pardon(func(k protocols.Key, _ time.Time) bool { return k == b.Primary() })
	if k := b.Links[0].Primary; k != b.Primary() {
		m.displace(now, k)
		m.ready.Events = append(m.ready.Events, Event{Kind: Displaced, Branch: b, Peer: k})
	}
}

// outOfTurn says whether a branch is a claim of one who is displaced, and the others
// may not have had their time yet.
func (m *Machine) outOfTurn(now time.Time, b *Branch) bool {
	switch b.Opened.Cause {
	case wire.CausePromotion, wire.CauseElection, wire.CauseHanded:
		return m.isDisplaced(now, b.Primary()) && now.Sub(m.watch.life) < m.tenths(lastTenths)
	}
	return false
}

func (m *Machine) isCondemned(now time.Time, k protocols.Key) bool {
	until, ok := m.d.Condemned[k]
	return ok && now.Before(until) && len(m.members) > 1
}

// condemn notes an equivocation: the node leads nobody for a day, whoever restarts
// meanwhile.
func (m *Machine) condemn(now time.Time, k protocols.Key) {
	if !m.isCondemned(now, k) {
		m.ready.Events = append(m.ready.Events, Event{Kind: Equivocated, Peer: k})
	}
	maps.DeleteFunc(m.d.Condemned, func(_ protocols.Key, until time.Time) bool { return now.After(until) })
	m.d.Condemned[k] = now.Add(ineligible)
	m.ready.Save = true
}

// OnEquivocation takes a proof, which was checked, that a node signed what it
// must not have.
func (m *Machine) OnEquivocation(now time.Time, who protocols.Key) {
	m.checkLate(now)
	if m.hears(who) {
		m.condemn(now, who)
	}
	m.schedule(now)
}
