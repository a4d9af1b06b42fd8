package seat

import (
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Who was taken out of the group while it was away, or apart, hears of it from the
// hub, as often as it takes. One that follows gets the log as far as the record that
// took it out. One that leads another branch, or has lost its hub, follows nobody
// who could show it a log: it is brought the record itself.

// attachOther takes the attach of one who is no member, and is told so. It may not
// have seen the record that took it out.
func (s *Seat) attachOther(now time.Time, a *wire.Attach) {
	s.send(a.Member, &wire.Refused{Group: s.group, Reason: envelope.ReasonNotMember})
	switch _, departed := s.ledger.Departure(a.Member); {
	case !departed:
	case a.Opened == s.branch.Term().Opened:
		s.hub.Attach(now, a.Member, a.Last.Seq, a.Log)
	default:
		f := s.branch.Frame()
		s.send(a.Member, &f)
	}
}

// bringDeparture brings one who does not follow this hub the record that took it
// out.
func (s *Seat) bringDeparture(to protocols.Key) {
	at, departed := s.ledger.Departure(to)
	if s.hub == nil || !departed || at > s.hub.Committed() {
		return
	}
	if e, ok := s.ledger.Log().At(at); ok {
		s.send(to, &wire.Publish{Group: s.group, Records: [][]byte{e.Record.Bytes()}})
	}
}

// expels says whether a record that was brought here takes this node out. A hub that
// accepts puts it into order as it does others; who is none believes the admin that
// signed it, who could kick this node in any log.
func (s *Seat) expels(r *wire.Record) bool {
	if r.Kind != wire.KindKick || s.failover.Open() {
		return false
	}
	t, err := wire.ParseTarget(r.Kind, r.Payload)
	return err == nil && t.Member == s.self && s.ledger.Fold().Judge(r, false) == nil
}
