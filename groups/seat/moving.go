package seat

import (
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// A hub that an admin names hears of it by one frame, which may be lost, and does not
// take it if it has a newer version of the present hub's record than the admin had.
// So it is named again until the group has another hub, or for a while, whether the
// person names it or this node by itself.
const (
	nameAgain = time.Second
	nameFor   = 30 * time.Second
)

// moving is the hub that this admin named last; to is zero if it named none.
type moving struct {
	to    protocols.Key
	from  wire.Term // in which it was named
	tried time.Time
	until time.Time
}

// Move lets this node, as admin, name the hub.
func (s *Seat) Move(now time.Time, to protocols.Key) {
	s.nameHub(now, to)
	s.settle(now)
}

// nameHub names a hub, and no other any more: of two that are named at once for the
// same term both would be hub.
func (s *Seat) nameHub(now time.Time, to protocols.Key) {
	s.moving = moving{to: to, from: s.branch.Term(), tried: now, until: now.Add(nameFor)}
	s.failover.Move(now, to)
}

// nameHubAgain names a hub again that is none yet.
func (s *Seat) nameHubAgain(now time.Time) {
	m, fold := &s.moving, s.ledger.Fold()
	switch {
	case m.to == protocols.Key{} || now.Before(m.due()):
	case s.branch.Term() != m.from || !now.Before(m.until) || !fold.Hears(m.to) || !fold.Admin(s.self):
		*m = moving{}
	default:
		m.tried = now
		s.failover.Move(now, m.to)
	}
}

// due is when the hub is to be named again.
func (m *moving) due() time.Time { return m.tried.Add(nameAgain) }

// lies says whether a draft names a hub by the word of one who, by the very log that
// it speaks of, is no admin. One that was taken out since, or is none any more, may
// have made it before it heard of that.
func (s *Seat) lies(h *wire.HubRecord) bool {
	fold := s.ledger.Fold()
	if h.Cause != wire.CauseAdmin || fold.Admin(h.Admin) || !s.ledger.Log().Has(h.Seq, h.Log) {
		return false
	}
	if m, in := fold.Of(h.Admin); in && m.RoleRecord != (wire.RecordID{}) {
		at, known := s.roleOf(m)
		return known && at <= h.Seq
	}
	at, departed := s.ledger.Departure(h.Admin)
	return !departed || at <= h.Seq
}
