package failover

import (
	"time"

	"github.com/tom-protocol/tom/groups/wire"
)

// Members may follow a hub that was kicked where they did not hear of it, and by
// the count of followers it would stand. An admin's record beats the count: the
// hub that learns of such a branch signs one, or asks the admins for it.

// bringHome lets those who follow a hub that may be none follow this one. False
// says that it takes an admin, who was asked.
func (m *Machine) bringHome(now time.Time, foreign *Branch) bool {
	if !m.admins[m.self] {
		f := foreign.Frame()
		for _, k := range m.members {
			if m.admins[k] {
				m.send(k, &f)
			}
		}
		return false
	}
	m.nameSelf(now, foreign)
	m.sendHome(now, foreign)
	return true
}

// nameSelf lets this node, an admin, name itself hub of this branch and of another.
func (m *Machine) nameSelf(now time.Time, other *Branch) {
	h, link := m.homeRecord(other)
	h.Primary, h.Admin = m.self, m.self
	m.openNamed(now, h, h.SignAdmin(m.cfg.Signer), link)
}

// homeRecord makes the record that outranks this branch and another.
func (m *Machine) homeRecord(foreign *Branch) (wire.HubRecord, *wire.HubRecord) {
	link := m.d.Current.Record
	if foreign.Record.Number >= link.Number {
		link = foreign.Record
	}
	place, hash := m.cfg.Log()
	return wire.HubRecord{
		Group: m.cfg.Group, Number: link.Number + 1, Version: 1,
		Links: []wire.HubHash{link.Hash()}, Cause: wire.CauseAdmin, Seq: place.Seq, Log: hash,
	}, link
}

// askedHome answers a hub that asks this admin to outrank a branch.
func (m *Machine) askedHome(foreign *Branch) {
	h, _ := m.homeRecord(foreign)
	h.Primary = m.d.Current.Primary()
	m.send(h.Primary, &wire.Named{Draft: h.Draft(m.cfg.Signer)})
}

// sendHome tells a hub that takes no part, which toAll leaves out.
func (m *Machine) sendHome(now time.Time, foreign *Branch) {
	if !m.hears(foreign.Primary()) {
		m.send(foreign.Primary(), m.evidence(now, m.d.Current, nil, foreign))
	}
}
