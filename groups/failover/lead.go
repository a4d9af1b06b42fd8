package failover

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// lead is what a hub knows.
type lead struct {
	counter   wire.Counter
	sent      [sentBeats]time.Time // when the beats were sent, by counter
	next      time.Time            // the next beat to shadow and candidate
	nextAll   time.Time            // and to all
	seq       wire.Seq             // up to where the log was accepted
	grew      time.Time            // when that changed, or this node became hub
	fence     time.Time            // until when nothing is accepted, zero: it is
	confirmed map[protocols.Key]bool
	silent    bool // the shadow is, and that was acted upon
	named     time.Time
	claim     bool // an opened claim
	claimOf   wire.Counter
	meeting
}

// followers counts the other members that attached to this hub.
func (m *Machine) followers() (n int) {
	for k, p := range m.peers {
		if p.attach != nil && m.member(k) {
			n++
		}
	}
	return n
}

// beatFor makes the next beat.
func (m *Machine) beatFor(now time.Time) *wire.BeatFrame {
	m.lead.counter++
	m.lead.sent[m.lead.counter%sentBeats] = now
	b := wire.Beat{
		Group: m.cfg.Group, Term: m.d.Current.Term(), Version: m.d.Current.Record.Version, Counter: m.lead.counter, Seq: m.cfg.Committed(), Time: millis(now),
	}
	return &wire.BeatFrame{Beat: b.Sign(m.cfg.Signer)}
}

func (m *Machine) beatTo(now time.Time, k protocols.Key) { m.send(k, m.beatFor(now)) }

func (m *Machine) beatAll(now time.Time) { m.toAll(m.beatFor(now)) }

func (m *Machine) leadTick(now time.Time) {
	l := &m.lead
	m.leadBeat(now)
	if now.Sub(m.followed) >= m.tenths(upkeepTenths) {
		m.upkeep(now)
	}
	m.checkShadow(now)
	m.checkFence(now)
	if l.foreign != nil && !now.Before(l.meetAt) {
		m.meet(now)
	}
}

// leadBeat sends the beats that are due. Where records come, the shadow hears more of
// them, and misses the hub sooner: the records themselves do not tell it, for they
// stay away too when the members' way to the hub is slow.
func (m *Machine) leadBeat(now time.Time) {
	l, every := &m.lead, m.beat
	if seq := m.cfg.Committed(); seq != l.seq {
		l.seq, l.grew = seq, now
	}
	if now.Sub(l.grew) < busyFor {
		every = m.tenths(busyTenths)
	}
	if next := now.Add(every); next.Before(l.next) {
		l.next = next
	}
	if now.Before(l.next) {
		return
	}
	all := !now.Before(l.nextAll)
	if l.next = now.Add(every); all {
		l.nextAll = now.Add(m.beat * membersEvery)
	}
	f, r := m.beatFor(now), m.d.Current.Record
	for _, k := range slices.Concat(m.members, m.relays) {
		if all || r.Names(k) {
			m.send(k, f)
		}
	}
}

// quiet says whether a named one has not been heard for two misses.
func (m *Machine) quiet(now time.Time, k protocols.Key) bool {
	two := m.tenths(missTwoTenths)
	return now.Sub(m.peer(k).heard) > two && now.Sub(m.followed) > two && now.Sub(m.lead.named) > two
}

// upkeep names another shadow or candidate where one is missing or silent.
func (m *Machine) upkeep(now time.Time) {
	none := protocols.Key{}
	s, c := m.d.Current.Record.Shadow, m.d.Current.Record.Candidate
	if s != none && (m.quiet(now, s) || !m.hears(s)) {
		s = none
	}
	if c != none && (m.quiet(now, c) || !m.hears(c)) {
		c = none
	}
	if s == none && c != none {
		s, c = c, none
	}
	s = m.instead(now, s, c, m.relays, m.members)
	if s != none && !m.relay(s) {
		if k, _ := m.pickFrom(now, none, m.relays, false); k != none {
			s, c = k, s
		}
	}
	if s != none {
		c = m.instead(now, c, s, m.members, m.relays)
	}
	m.name(now, s, c)
}

// instead returns who is to be named instead of one that is not there, or that is
// displaced while another can be named.
func (m *Machine) instead(now time.Time, k, not protocols.Key, lists ...[]protocols.Key) protocols.Key {
	none := protocols.Key{}
	if k != none && !m.isDisplaced(now, k) {
		return k
	}
	if p := m.pick(now, not, lists...); p != none && (k == none || !m.isDisplaced(now, p)) {
		return p
	}
	return k
}

// pick returns the best node to name, zero for none: of the first list, or else of
// the second. One that is displaced is named only if there is no other.
func (m *Machine) pick(now time.Time, not protocols.Key, lists ...[]protocols.Key) protocols.Key {
	for _, displaced := range []bool{false, true} {
		others := false
		for _, list := range lists {
			k, any := m.pickFrom(now, not, list, displaced)
			if k != (protocols.Key{}) {
				return k
			}
			others = others || any
		}
		if others {
			break
		}
	}
	return protocols.Key{}
}

// pickFrom returns the best of a list among those that are displaced, or among the
// others, and whether any is there. Whom it has no fresh echo of it sends a
// beat, to look again a little later.
func (m *Machine) pickFrom(now time.Time, not protocols.Key, list []protocols.Key, displaced bool) (best protocols.Key, any bool) {
	probes := 0
	for _, k := range m.byRank(m.d.Current.Record.Number, list) {
		p := m.peers[k]
		if k == not || p == nil || p.attach == nil || !m.nameable(now, k, displaced) {
			continue
		}
		any = any || m.Present(now, k)
		if now.Sub(p.echo) <= m.tenths(echoTenths) {
			return k, true
		}
		if probes < maxProbes && now.Sub(p.probed) >= m.beat {
			probes++
			p.probed = now
			m.beatTo(now, k)
		}
	}
	return best, any
}

// name makes the next version of the hub record, if the chain is another.
func (m *Machine) name(now time.Time, s, c protocols.Key) {
	r := *m.d.Current.Record
	if s == r.Shadow && c == r.Candidate {
		return
	}
	if s != r.Shadow {
		if r.Shadow != (protocols.Key{}) {
			m.exclude(r.Shadow, now.Add(m.tenths(excludeTenths)))
		}
		m.lead.named, m.lead.silent = now, false
	}
	o := m.d.Current.Opened
	next := wire.HubRecord{
		Group: r.Group, Number: r.Number, Version: r.Version + 1, Shadow: s, Candidate: c,
		Links: []wire.HubHash{o.Hash()}, Cause: wire.CauseChange, Seq: o.Seq, Log: o.Log,
	}
	b := *m.d.Current
	b.Record = m.signed(next, nil)
	m.d.Current = &b
	m.ready.Save = true
	m.event(Named, &b)
	f := b.Frame()
	m.toAll(&f)
}

// signed signs a hub record of this node's own.
func (m *Machine) signed(h wire.HubRecord, admin []byte) *wire.HubRecord {
	r, err := wire.ParseHubRecord(own{m.cfg.Signer.Network()}, h.Sign(m.cfg.Signer, admin))
	if err != nil {
		panic(err) // it is this node's own
	}
	return r
}

// own spares this node the verification of what it has signed itself.
type own struct{ protocols.Network }

// Verify takes the signature as it is.
func (own) Verify(protocols.Key, protocols.Tag, []byte, []byte) bool { return true }

// ShadowSlow says that the shadow answers beats but has not acknowledged a
// replicate for two misses: another takes its place.
func (m *Machine) ShadowSlow(now time.Time) {
	r := m.d.Current.Record
	if !m.Leads() || r.Shadow == (protocols.Key{}) || now.Sub(m.lead.named) <= m.tenths(missTwoTenths) || now.Sub(m.followed) <= m.tenths(missTwoTenths) {
		return
	}
	m.exclude(r.Shadow, now.Add(m.tenths(slowTenths)))
	m.replace(now, r.Shadow)
	m.schedule(now)
}

// replace takes a node out of the chain.
func (m *Machine) replace(now time.Time, k protocols.Key) {
	s, c := m.d.Current.Record.Shadow, m.d.Current.Record.Candidate
	switch k {
	case s:
		s, c = c, protocols.Key{}
	case c:
		c = protocols.Key{}
	default:
		return
	}
	if s == (protocols.Key{}) {
		s = m.pick(now, k, m.relays, m.members)
	}
	m.name(now, s, c)
}

// OnReplace takes the wish of a shadow or candidate to be replaced.
func (m *Machine) OnReplace(now time.Time, from protocols.Key, b *wire.Beat) {
	m.checkLate(now)
	defer m.schedule(now)
	if m.Leads() && b.Node == from && b.Term == m.d.Current.Term() && m.d.Current.Record.Names(from) {
		m.exclude(from, now.Add(m.tenths(excludeTenths)))
		m.replace(now, from)
	}
}

// echoed takes a member's answer to a beat.
func (m *Machine) echoed(now time.Time, from protocols.Key, b *wire.Beat) {
	p := m.peer(from)
	p.heard = now
	m.confirm(from)
	if b.Counter == 0 || b.Counter > m.lead.counter || m.lead.counter-b.Counter >= sentBeats {
		return
	}
	if sent := m.lead.sent[b.Counter%sentBeats]; sent.After(p.echo) {
		p.echo = sent
	}
	if b.Version < m.d.Current.Record.Version {
		f := m.d.Current.Frame()
		m.send(from, &f)
	}
}

// OnAttach takes a member's attach. follows says whether it is of this hub's
// term: then the log's side is to see what the member lacks.
func (m *Machine) OnAttach(now time.Time, from protocols.Key, a *wire.Attach) (follows bool) {
	m.checkLate(now)
	defer m.schedule(now)
	if a.Member != from || a.Group != m.cfg.Group || !m.hears(from) {
		return false
	}
	if a.Opened != m.d.Current.Term().Opened {
		if back := m.d.Withdrawn[a.Opened]; back != nil {
			m.retreat(from, back)
		} else {
			m.stranger(now, from)
		}
		return false
	}
	if !m.Leads() {
		m.stranger(now, from)
		return false
	}
	p := m.peer(from)
	p.heard = now
	first := p.attach == nil
	if first || a.Time >= p.attach.Time {
		p.attach = a
	}
	m.confirm(from)
	if first {
		m.beatTo(now, from)
	}
	return true
}

func (m *Machine) confirm(k protocols.Key) {
	if m.lead.confirmed == nil {
		m.lead.confirmed = make(map[protocols.Key]bool)
	}
	m.lead.confirmed[k] = true
}

// doubt closes the hub: until its chain is confirmed, or a timeout has passed.
func (m *Machine) doubt(now time.Time) {
	m.lead.fence, m.lead.confirmed = now.Add(m.tenths(missTenths)), nil
}

// checkShadow doubts when the shadow was not heard for two misses.
func (m *Machine) checkShadow(now time.Time) {
	s := m.d.Current.Record.Shadow
	if s == (protocols.Key{}) || !m.ShadowSilent(now) {
		m.lead.silent = false
		return
	}
	if !m.lead.silent {
		m.lead.silent = true
		m.doubt(now)
	}
}

// checkFence opens the hub again.
func (m *Machine) checkFence(now time.Time) {
	l := &m.lead
	if l.fence.IsZero() {
		return
	}
	attached, confirmed := 0, 0
	for k, p := range m.peers {
		if p.attach != nil && m.member(k) {
			attached++
			if l.confirmed[k] {
				confirmed++
			}
		}
	}
	s := m.d.Current.Record.Shadow
	if !now.Before(l.fence) || (s != (protocols.Key{}) && l.confirmed[s]) || (attached > 0 && 2*confirmed >= attached) {
		l.fence = time.Time{}
	}
}

// Why says in a few words why this node accepts nothing; empty if it does.
func (m *Machine) Why() string {
	switch {
	case !m.Leads():
		return "another is hub"
	case !m.lead.fence.IsZero():
		return "in doubt whether it was replaced"
	case m.lead.claim && m.followers() == 0:
		return "nobody follows"
	}
	return ""
}
