package seat

import (
	"time"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Who was taken out of the group while it was away, or apart, hears of it from those
// whom it reaches, as often as it takes. One that follows a hub gets the log as far as
// the record that took it out. One that leads another branch, or has lost its hub,
// follows nobody who could show it a log: it is brought the record itself.

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

// apart takes that one is in another term than this node. Who leads a branch beats for
// those it knows, and meets the hub of the other: it may know only one of them.
func (s *Seat) apart(who protocols.Key, term wire.Term) {
	if term != s.branch.Term() {
		s.bringDeparture(who)
	}
}

// bringDeparture brings one who does not follow the log here the record that took it
// out.
func (s *Seat) bringDeparture(to protocols.Key) {
	at, departed := s.ledger.Departure(to)
	if !departed || at > s.committed() {
		return
	}
	if e, ok := s.ledger.Log().At(at); ok {
		s.send(to, &wire.Publish{Group: s.group, Records: [][]byte{e.Record.Bytes()}})
	}
}

// expels says whether a record that was brought here takes this node out. A hub that
// accepts puts it into order as it does others; who is none believes the admin that
// signed it, who could kick this node, or list it no more, in any log.
func (s *Seat) expels(now time.Time, r *wire.Record) bool {
	switch _, stands := s.ledger.Log().Find(r.Name()); {
	case s.failover.Open() || stands:
		return false
	case r.Kind == wire.KindSettings && !isNew(now, r), r.Kind != wire.KindSettings && r.Kind != wire.KindKick:
		return false
	}
	after := s.ledger.Fold().Clone()
	_, err := after.Apply(r, false)
	return err == nil && s.ledger.Fold().Hears(s.self) && !after.Hears(s.self)
}

// expelled tells that a record took this node out, once: all who have it bring it.
func (s *Seat) expelled(r *wire.Record) {
	if s.out {
		return
	}
	s.out = true
	e := member.Event{Kind: member.Expelled, Record: r}
	if r.Kind == wire.KindSettings {
		e = member.Event{Kind: member.Removed}
	}
	s.ready.Record = append(s.ready.Record, e)
}
