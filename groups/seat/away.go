package seat

import (
	"time"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// An admin's node takes the group away from a hub by itself in two cases: when
// the admin kicks it, and when it withholds records, or its log from this very node,
// although it is there. The shadow is hub then, or this node.
const (
	askHubEvery  = time.Second      // whether something is withheld
	moveAgain    = 3 * time.Second  // to this node, if the shadow does not take it
	moveWithheld = 10 * time.Minute // between two because of something withheld
)

// away is what became of that.
type away struct {
	from  protocols.Key // a hub that this admin took out; zero: none
	tried time.Time     // when another was named instead of it
	next  time.Time     // to look for what is withheld
	moved time.Time     // because of something withheld
	named wire.Term     // whose hub was named for it
	sure  bool          // that it was, and not that it may not hear this node
}

// kickHub takes the group away from a hub that this node kicks, or lists no more.
func (s *Seat) kickHub(now time.Time, r *wire.Record) {
	if s.hub != nil || r.Kind != wire.KindKick && r.Kind != wire.KindSettings {
		return
	}
	hub, after := s.branch.Primary(), s.ledger.Fold().Clone()
	if _, err := after.Apply(r, false); err == nil && s.ledger.Fold().Hears(hub) && !after.Hears(hub) {
		s.away.from, s.away.tried = hub, now
		s.moveAway(now)
	}
}

// moveAway names the shadow hub, or this node if there is none.
func (s *Seat) moveAway(now time.Time) {
	to := s.branch.Record.Shadow
	if to == (protocols.Key{}) {
		to = s.self
	}
	s.nameHub(now, to)
}

// watchHub sees whether the hub that was kicked is gone, and whether the present
// one withholds anything.
func (s *Seat) watchHub(now time.Time) {
	if s.away.from != (protocols.Key{}) {
		switch {
		case s.branch.Primary() != s.away.from:
			s.away.from = protocols.Key{}
		case now.Sub(s.away.tried) >= moveAgain:
			s.away.tried = now
			s.nameHub(now, s.self)
		}
	}
	if now.Before(s.away.next) {
		return
	}
	s.away.next = now.Add(askHubEvery)
	if s.failover.Leads() {
		return
	}
	name, withholds := s.member.Withholds(now)
	if starves := s.member.Starves(now); !withholds && !starves {
		return
	}
	answers, known := s.member.Answers(now)
	if !known {
		return
	}
	if s.away.named != s.branch.Term() || answers && !s.away.sure {
		s.away.named, s.away.sure = s.branch.Term(), answers
		s.ready.Record = append(s.ready.Record, member.Event{Kind: member.Withheld, Name: name, Peer: s.branch.Primary(), Deaf: !answers})
	}
	if s.ledger.Fold().Admin(s.self) && (s.away.moved.IsZero() || now.Sub(s.away.moved) >= moveWithheld) {
		s.away.moved = now
		s.moveAway(now)
	}
}
