package seat

import (
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Who is no member gets nowhere; the hub, whose log says who is one, names it.

// turned notes that the hub refused a record of one who is no member.
func (s *Seat) turned(to protocols.Key, f wire.Frame) {
	if r, ok := f.(*wire.Refused); ok && r.Record != (wire.RecordID{}) && !s.ledger.Fold().Hears(to) {
		s.turn(to, r.Reason)
	}
}

// unheard notes what one who neither is a member nor was one says as if it were.
func (s *Seat) unheard(from protocols.Key) {
	if s.hub == nil || s.ledger.Fold().Hears(from) || from == s.newcomer {
		return
	}
	if _, departed := s.ledger.Departure(from); !departed {
		s.turn(from, envelope.ReasonNotMember)
	}
}

func (s *Seat) turn(who protocols.Key, why envelope.Reason) {
	s.ready.Record = append(s.ready.Record, member.Event{Kind: member.Turned, Peer: who, Reason: why})
}
