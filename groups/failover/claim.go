package failover

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// claim opens a term that continues the present one. The only member has nobody to
// report the hub with it, and is an admin: it names itself. Else who joined in another
// branch, and does not know that it is alone, would not believe it.
func (m *Machine) claim(now time.Time) {
	cur := m.d.Current
	if m.sole() {
		m.nameSelf(now, cur)
		return
	}
	place, hash := m.cfg.Log()
	h := wire.HubRecord{
		Group: m.cfg.Group, Number: cur.Record.Number + 1, Version: 1,
		Links: []wire.HubHash{cur.Record.Hash()}, Cause: wire.CauseElection, Seq: place.Seq, Log: hash,
	}
	b := &Branch{Links: []*wire.HubRecord{cur.Record}}
	if m.named() {
		h.Cause = wire.CausePromotion
		if cur.Record.Shadow == m.self {
			h.Shadow = cur.Record.Candidate
		}
	} else {
		b.Evidence = m.shownReports()
	}
	b.Record = m.signed(h, nil)
	b.Opened = b.Record
	newest, early := m.newest(), now.Sub(m.watch.life) < m.tenths(missTwoTenths)
	m.ready.Events = append(m.ready.Events, Event{Kind: Claimed, Branch: b, Peer: m.self, Reported: early})
	m.follow(now, b)
	m.lead.claim, m.lead.claimOf = true, newest
	f := b.Frame()
	m.toAll(&f)
}

func (m *Machine) shownReports() (shown []wire.Evidence) {
	for _, k := range m.members {
		if p := m.peers[k]; p != nil && p.report != nil && p.reported.After(m.watch.life) && len(shown) < 4 {
			shown = append(shown, wire.Evidence{Tag: protocols.TagGroupReport, Structure: p.report})
		}
	}
	return shown
}

// follow makes a branch the one this node follows.
func (m *Machine) follow(now time.Time, b *Branch) {
	led := m.Leads()
	m.d.Previous, m.d.Current = m.d.Current, b
	m.ready.Save = true
	m.reset(now)
	m.event(Followed, b)
	m.noteAdmin(now, b)
	if led && !m.Leads() {
		m.event(SteppedDown, b)
	}
	if !m.Leads() {
		m.attach(now)
	}
}

// followPending follows a claim whose primary's predecessor stayed silent.
func (m *Machine) followPending(now time.Time) bool {
	w := &m.watch
	if w.pending == nil {
		return false
	}
	wait := m.tenths(askTenths)
	if now.Sub(w.again) >= wait {
		m.ask(now)
	}
	if m.outOfTurn(now, w.pending) || !m.askedInVain(now) || (!m.named() && now.Sub(w.asked) < max(m.miss(), slowPath)) {
		return false
	}
	m.follow(now, w.pending)
	return true
}

// askedInVain says that the primary was silent for so long that no delay of a
// second explains it, and that this node asked it and had no answer.
func (m *Machine) askedInVain(now time.Time) bool {
	w := &m.watch
	return !w.asked.IsZero() && now.Sub(w.asked) >= m.tenths(askTenths) &&
		now.Sub(w.life) > max(m.miss(), slowPath) && now.Sub(m.nextDue()) > slowPath
}

// OnBranch takes a hub record: a claim, a change, a merge, or news of which
// record the sender follows. evidence are the attaches that came with it.
func (m *Machine) OnBranch(now time.Time, v wire.Verifier, from protocols.Key, b *Branch, evidence []*wire.Attach) {
	m.checkLate(now)
	defer m.schedule(now)
	own := from == b.Primary() && b.hears(from)
	if b.Record.Group != m.cfg.Group || !m.hears(from) && !own && from != m.d.Current.Primary() {
		return
	}
	if b.Term() == m.d.Current.Term() {
		m.sameTerm(now, from, b)
		return
	}
	if b.Primary() == m.self { // an old claim of its own: it was given up
		return
	}
	if !m.sound(v, b) {
		if from == b.Primary() {
			m.event(Disbelieved, b)
		}
		return
	}
	if !m.eligible(now, b) { // nobody may follow it, but the sender does
		switch {
		case m.Leads() && m.d.Current.handedOverBy(b.Term()): // the sender follows ours as soon as it sees it
			m.send(from, m.evidence(now, m.d.Current, nil, b))
		case m.Leads() && from != b.Primary():
			m.noteForeign(now, from, b)
		case !m.Leads() && from == m.d.Current.Primary() && m.admins[m.self]:
			m.askedHome(b)
		}
		return
	}
	if m.unfit(now) {
		m.giveWay(now, from, b)
		return
	}
	if !m.Leads() && from == m.d.Current.Primary() { // it leads or follows another, and takes us there
		m.follow(now, b)
		return
	}
	if !m.higher(b, m.d.Current) {
		m.lower(now, from, b)
		return
	}
	switch {
	case m.consented(b) && !m.outOfTurn(now, b):
		m.follow(now, b)
	case m.Leads() && b.joins(m.d.Current.Term()) && m.stands(b, of(b, evidence), m.d.Current, of(m.d.Current, m.attaches())):
		m.follow(now, b)
	case m.Leads():
		m.noteForeign(now, from, b)
	default:
		m.consider(now, b)
	}
}

// giveWay lets a hub that may be none follow another. The hub of a lower branch, of which
// a member tells, may follow this very hub by now: then each would send the other's
// followers back for ever. It is asked itself.
func (m *Machine) giveWay(now time.Time, from protocols.Key, b *Branch) {
	if from != b.Primary() && !m.higher(b, m.d.Current) {
		m.beatTo(now, b.Primary())
		return
	}
	m.follow(now, b)
}

// consented says that a record needs nobody's silence: an admin named it, or
// the primary that this node follows handed over.
func (m *Machine) consented(b *Branch) bool {
	return m.byAdmin(b) || b.handedOverBy(m.d.Current.Term())
}

// byAdmin says whether an admin opened a branch, as far as this node's log shows, and
// what came with the branch.
func (m *Machine) byAdmin(b *Branch) bool {
	return b.Opened.Cause == wire.CauseAdmin && (m.admins[b.Opened.Admin] || b.admin(b.Opened.Admin))
}

// sameTerm takes another version of the chain this node follows.
func (m *Machine) sameTerm(now time.Time, from protocols.Key, b *Branch) {
	cur := m.d.Current
	if b.Record.Equivocates(cur.Record) {
		m.condemn(now, b.Record.Primary)
		m.toAll(&wire.Equivocation{Tag: protocols.TagGroupHub, A: cur.Record.Bytes(), B: b.Record.Bytes()})
		return
	}
	if from == cur.Primary() {
		m.alive(now)
	}
	if f := m.lead.foreign; f != nil && f.Primary() == from { // it follows us now, and took nothing back
		m.event(Disbelieved, f)
		m.lead.foreign = nil
	}
	if m.Leads() || b.Record.Version <= cur.Record.Version {
		return
	}
	m.d.Current = b
	m.ready.Save = true
	m.event(Followed, b)
	m.attach(now)
}

// lower answers one that follows a record below ours.
func (m *Machine) lower(now time.Time, from protocols.Key, b *Branch) {
	if m.Leads() && b.Primary() == from {
		m.noteForeign(now, from, b)
	}
	m.send(from, m.evidence(now, m.d.Current, nil, b))
}

// consider asks the primary before a claim is followed.
func (m *Machine) consider(now time.Time, b *Branch) {
	w := &m.watch
	if w.pending != nil && !m.higher(b, w.pending) {
		return
	}
	if m.outOfTurn(now, b) {
		m.event(Disbelieved, b)
	} else if m.named() && m.askedInVain(now) {
		m.follow(now, b)
		return
	}
	if w.pending == nil {
		w.pendingAt, w.pendingOf = now, m.newest()
	}
	w.pending = b
	m.startAsking(now)
}

// sound says whether a branch could be opened by its primary. Whoever opened it as
// an admin may have become one in a part of the log that this node has not seen, and
// gets from nobody else if it does not follow it: until then it is a claim as others.
func (m *Machine) sound(v wire.Verifier, b *Branch) bool {
	o := b.Opened
	switch o.Cause {
	case wire.CauseFirst:
		return o.Primary == m.cfg.Charter.Creator && o.Links[0] == m.cfg.Charter.Hash()
	case wire.CauseAdmin:
		place, _ := m.cfg.Log()
		return m.byAdmin(b) || m.member(o.Admin) && place.Seq < o.Seq
	case wire.CauseElection:
		return m.reportedBy(v, b)
	}
	return true
}

// reportedBy says whether another member than the claimant reported the hub
// whose term the branch continues; it may have been kicked since.
func (m *Machine) reportedBy(v wire.Verifier, b *Branch) bool {
	for _, e := range b.Evidence {
		r, err := wire.ParseReport(v, e.Structure)
		if err == nil && r.Group == m.cfg.Group && r.Opened == b.Links[0].Term().Opened &&
			r.Reporter != b.Opened.Primary && r.Reporter != b.Links[0].Primary && (m.counted(r.Reporter) || b.member(r.Reporter)) {
			return true
		}
	}
	return false
}

// shown takes a beat that was shown to this claimant. One of a hub that is
// condemned is no reason to leave the group to it.
func (m *Machine) shown(now time.Time, b *wire.Beat) {
	cur := m.d.Current
	if !m.Leads() || !m.lead.claim || b.Node == m.self || len(cur.Links) == 0 || m.isCondemned(now, b.Node) {
		return
	}
	link := cur.Links[0]
	if b.Term != link.Term() || b.Node != link.Primary || b.Counter <= m.lead.claimOf {
		return
	}
	if m.followers() == 0 {
		m.withdraw(now)
	} else if m.d.Previous != nil && m.d.Previous.Term() == b.Term {
		m.noteForeign(now, m.self, m.d.Previous)
	}
}

// withdraw takes back a claim that nobody follows.
func (m *Machine) withdraw(now time.Time) {
	claim, back := m.d.Current, m.d.Previous
	w := wire.Withdrawal{Group: m.cfg.Group, Claim: claim.Record.Term().Opened, Back: back.Record.Hash(), Time: millis(now)}
	r := &Retreat{Withdrawal: w.Sign(m.cfg.Signer), Back: back}
	for len(m.d.Withdrawn) >= maxWithdrawn {
		for k := range m.d.Withdrawn {
			delete(m.d.Withdrawn, k)
			break
		}
	}
	m.d.Withdrawn[w.Claim] = r
	m.event(Withdrew, claim)
	m.follow(now, back)
	m.d.Previous = claim
	for _, k := range slices.Concat(m.members, m.relays) {
		m.retreat(k, r)
	}
}

func (m *Machine) retreat(to protocols.Key, r *Retreat) {
	m.send(to, &wire.WithdrawnFrame{HubRecordFrame: r.Back.Frame(), Withdrawal: r.Withdrawal})
}

// OnWithdrawn takes the word of a claimant that its claim is over, with the
// branch to go back to.
func (m *Machine) OnWithdrawn(now time.Time, from protocols.Key, w *wire.Withdrawal, back *Branch) {
	m.checkLate(now)
	defer m.schedule(now)
	if w.Claimant != from || w.Group != m.cfg.Group || back.Record.Hash() != w.Back {
		return
	}
	if f := m.lead.foreign; f != nil && f.Term().Opened == w.Claim {
		m.lead.foreign = nil
	}
	if p := m.watch.pending; p != nil && p.Term().Opened == w.Claim && p.Primary() == from {
		m.watch.pending = nil
	}
	cur := m.d.Current
	if m.Leads() || cur.Primary() != from || cur.Term().Opened != w.Claim || len(cur.Links) == 0 || cur.Links[0].Term() != back.Term() {
		return
	}
	m.follow(now, back)
}

// Move makes the record in which this node, an admin, names the hub. It goes to
// the one named, who signs and announces it.
func (m *Machine) Move(now time.Time, to protocols.Key) {
	cur := m.d.Current
	place, hash := m.cfg.Log()
	h := wire.HubRecord{
		Group: m.cfg.Group, Number: cur.Record.Number + 1, Version: 1, Primary: to,
		Links: []wire.HubHash{cur.Record.Hash()}, Cause: wire.CauseAdmin, Seq: place.Seq, Log: hash,
	}
	m.sendDraft(now, h)
}

// Resign hands the hub over to the shadow, if there is one: nothing is put into
// order here any more.
func (m *Machine) Resign(now time.Time) (handed bool) {
	cur := m.d.Current.Record
	if !m.Leads() || cur.Shadow == (protocols.Key{}) || m.ShadowSilent(now) || m.isDisplaced(now, cur.Shadow) {
		return false
	}
	place, hash := m.cfg.Log()
	m.doubt(now)
	m.sendDraft(now, wire.HubRecord{
		Group: m.cfg.Group, Number: cur.Number + 1, Version: 1, Primary: cur.Shadow, Shadow: cur.Candidate,
		Links: []wire.HubHash{cur.Hash()}, Cause: wire.CauseHanded, Seq: place.Seq, Log: hash,
	})
	return true
}

func (m *Machine) sendDraft(now time.Time, h wire.HubRecord) {
	draft := h.Draft(m.cfg.Signer)
	if h.Primary == m.self {
		h, admin, err := wire.ParseDraft(own{m.cfg.Signer.Network()}, draft)
		if err == nil {
			m.onNamed(now, h, admin)
		}
		return
	}
	m.send(h.Primary, &wire.Named{Draft: draft})
}

// OnNamed takes a draft, whose maker's signature was verified, that names this
// node. It must continue the record this node follows.
func (m *Machine) OnNamed(now time.Time, h *wire.HubRecord, admin []byte) {
	m.checkLate(now)
	m.onNamed(now, h, admin)
	m.schedule(now)
}

// LogGrew takes the newest draft that names this node, if it came before the log
// that it continues: a hub without that log would lead a group that it is not in.
func (m *Machine) LogGrew(now time.Time) {
	if n := m.naming; n != nil {
		m.naming = nil
		m.OnNamed(now, n.draft, n.admin)
	}
}

func (m *Machine) onNamed(now time.Time, h *wire.HubRecord, admin []byte) {
	cur := m.d.Current.Record
	if h.Group != m.cfg.Group || h.Primary != m.self || h.Version != 1 || len(h.Links) != 1 || m.isCondemned(now, m.self) {
		return
	}
	if place, _ := m.cfg.Log(); h.Cause == wire.CauseAdmin && m.admins[h.Admin] && place.Seq < h.Seq {
		m.naming = &naming{h, admin}
		return
	}
	foreign := m.lead.foreign
	switch {
	case h.Links[0] == cur.Hash() && h.Number == cur.Number+1 && !m.Leads():
		if h.Cause == wire.CauseAdmin && m.admins[h.Admin] || h.Cause == wire.CauseHanded && h.Admin == cur.Primary {
			m.openNamed(now, *h, admin, cur)
		}
	case !m.Leads() || foreign == nil || h.Cause != wire.CauseAdmin || !m.admins[h.Admin] || h.Number <= cur.Number:
	case h.Links[0] == foreign.Record.Hash() && h.Number == foreign.Record.Number+1:
		m.openNamed(now, *h, admin, foreign.Record)
		m.sendHome(now, foreign)
	case h.Links[0] == cur.Hash() && h.Number == cur.Number+1:
		m.openNamed(now, *h, admin, cur)
		m.sendHome(now, foreign)
	}
}

// openNamed opens a term of this node's own that an admin, or the primary before,
// signed. If it led already, its followers stay what they are.
func (m *Machine) openNamed(now time.Time, h wire.HubRecord, admin []byte, link *wire.HubRecord) {
	r := m.signed(h, admin)
	b := &Branch{Record: r, Opened: r, Links: []*wire.HubRecord{link}}
	peers, led := m.peers, m.Leads()
	m.event(Claimed, b)
	m.follow(now, b)
	if led {
		m.peers = peers
	}
	f := b.Frame()
	m.toAll(&f)
}
