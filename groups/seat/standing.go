package seat

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/roster"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// What is shown to one whose log may be another is the records that its log may lack
// and that say who is in the group: joins, roles and the settings, and for those of whom
// that is longer ago a snapshot. They count for less long than a log keeps them, so that
// one which stood in it, with what undid it, is not taken for new.
const showFor = roster.Window - 2*roster.Slack

func isNew(now time.Time, r *wire.Record) bool { return r.Time+showFor >= wire.Millis(now.UnixMilli()) }

// shows is such records, by their places in the log.
type shows struct {
	s     *Seat
	now   time.Time
	since wire.Seq // up to where the other has what is here
	old   bool     // the other's may be older than what is kept here
	room  int
	at    []wire.Seq
}

// standing returns the records by which nodes are in the group, and by which admins
// are that, for one who follows another branch, or nil if it is not known which.
func (s *Seat) standing(now time.Time, speakers, followers []protocols.Key, to *failover.Branch, room int) (records [][]byte) {
	x := shows{s: s, now: now, room: room}
	base, _ := s.ledger.Log().Base()
	x.old = to != nil && to.Opened.Seq <= base.Seq // else each beat of a stray one would be answered by a roster
	for _, k := range speakers {
		x.place(k)
	}
	if to != nil && s.ledger.Log().Has(to.Opened.Seq, to.Opened.Log) {
		x.since = to.Opened.Seq
	}
	for _, k := range followers {
		x.place(k)
	}
	if len(x.at) > 0 {
		x.since = 0
		for _, k := range s.ledger.Fold().Admins() {
			x.role(k)
		}
	}
	slices.Sort(x.at)
	for _, at := range x.at {
		e, _ := s.ledger.Log().At(at)
		records = append(records, e.Record.Bytes())
	}
	return records
}

// place shows how one came to be a member, or was listed as a relay.
func (x *shows) place(k protocols.Key) {
	m, member := x.s.ledger.Fold().Of(k)
	switch {
	case !member:
		x.show(x.s.ledger.Settings())
	case m.Admission != wire.RecordID{}: // the charter lets its creator in
		at, _ := x.s.ledger.Log().Find(wire.RecordName{Author: k, ID: m.Admission})
		x.show(at)
	}
}

// role shows how one came to be an admin.
func (x *shows) role(k protocols.Key) {
	m, _ := x.s.ledger.Fold().Of(k)
	if m.RoleRecord == (wire.RecordID{}) {
		return
	}
	x.place(k)
	at, _ := x.s.roleOf(m)
	x.show(at)
}

// roleOf returns where the record stands that gave a member its role; false if it is
// by one who is no admin any more, or forgotten.
func (s *Seat) roleOf(m wire.Member) (at wire.Seq, ok bool) {
	for _, by := range s.ledger.Fold().Admins() {
		if at, ok := s.ledger.Log().Find(wire.RecordName{Author: by, ID: m.RoleRecord}); ok {
			return at, true
		}
	}
	return 0, false
}

// show shows the record at a place, or if that is too old, or unknown, a snapshot.
func (x *shows) show(at wire.Seq) {
	e, ok := x.s.ledger.Log().At(at)
	if !ok || !isNew(x.now, e.Record) {
		x.snapshot()
		return
	}
	x.add(at, e.Record)
}

func (x *shows) snapshot() {
	at := x.s.ledger.Snapshot()
	if e, ok := x.s.ledger.Log().At(at); ok && x.old {
		x.add(at, e.Record)
	}
}

func (x *shows) add(at wire.Seq, r *wire.Record) {
	size := len(r.Bytes()) + len(protocols.TagGroupRecord) + 8
	if at > x.since && size <= min(x.room, wire.MaxShown) && !slices.Contains(x.at, at) {
		x.at, x.room = append(x.at, at), x.room-size
	}
}

// shownBy returns who is in the group if records that were shown stand next in the log;
// nil if they say nothing new.
func (s *Seat) shownBy(now time.Time, records []*wire.Record) *roster.Fold {
	var fold *roster.Fold
	for _, r := range records {
		if _, stands := s.ledger.Log().Find(r.Name()); stands || r.Verify(s.cfg.Prover) != nil {
			continue
		}
		if fold == nil {
			fold = s.ledger.Fold().Ahead()
		}
		switch r.Kind {
		case wire.KindJoin, wire.KindRole, wire.KindSettings:
			if isNew(now, r) {
				_, _ = fold.Apply(r, false) // a void one changes nothing
			}
		case wire.KindSnapshot:
			if f := s.shownSnapshot(fold, r); f != nil {
				fold = f
			}
		}
	}
	return fold
}

// shownSnapshot returns who is in the group by a snapshot; nil if that may not follow, or
// brings back whom the log took out.
func (s *Seat) shownSnapshot(fold *roster.Fold, r *wire.Record) *roster.Fold {
	list, err := wire.ParseRoster(r.Payload)
	if err != nil || !fold.Precedes(r.Author, list) {
		return nil
	}
	after := roster.FromSnapshot(s.cfg.Verifier, s.cfg.Charter, list)
	back := func(k protocols.Key) bool { return after.Hears(k) && !fold.Hears(k) }
	if slices.ContainsFunc(s.ledger.Departed(), back) || slices.ContainsFunc(fold.Kicked(), back) {
		return nil
	}
	return after.Ahead()
}
