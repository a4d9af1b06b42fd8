package member

import (
	"time"

	"github.com/tom-protocol/tom/groups/wire"
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

// bringPast brings records to the shadow and to admins, in case that the hub
// withholds them.
func (m *Member) bringPast(late []*wire.Entry) {
	to := m.hub.Shadow
	m.publishTo(to, late)
	sent, fold := 0, m.cfg.Ledger.Fold()
	for _, k := range fold.Nodes() {
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
func (m *Member) Withholds(now time.Time) (name wire.RecordName, yes bool) {
	if m.hub.Leads || now.Sub(m.followed) < withheldAfter {
		return name, false
	}
	for _, o := range m.own.list {
		if m.own.of[o.record.ID] == o && o.tries >= withheldTries && now.Sub(o.written) >= withheldAfter && now.Sub(o.told) >= withheldAfter {
			return o.record.Name(), true
		}
	}
	for n, at := range m.brought {
		switch _, stands := m.log().Find(n); {
		case stands || m.kept.lack[n] == nil:
			delete(m.brought, n)
		case now.Sub(later(at, m.followed)) >= withheldAfter:
			return n, true
		}
	}
	return name, false
}
