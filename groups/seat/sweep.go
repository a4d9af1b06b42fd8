package seat

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/tom-protocol/tom/groups/roster"
	"github.com/tom-protocol/tom/groups/wire"
)

// What is a day old is forgotten, but only up to a snapshot: whoever comes later
// needs one to know the members by, and everything behind it. So the admins' nodes
// make one when there is something to forget: the most senior's first, the others'
// if it is away. A small roster may be written every hour, so that the log is hardly
// longer than its day; the largest are every day.
const (
	sweepEvery    = 5 * time.Minute
	shortestSnap  = time.Hour
	longestSnap   = 24 * time.Hour
	snapHourBytes = 8 << 10          // so much of a roster for each hour between two
	snapTurn      = 10 * time.Minute // how much later each less senior admin is

	// How old a record is at least that is past by a snapshot made now.
	snapLate = time.Duration(roster.Window+2*roster.Slack) * time.Millisecond
)

// sweep is when this node looks next for what is to be forgotten, and when it
// wrote a snapshot last.
type sweep struct {
	next    time.Time
	written time.Time
}

func (s *Seat) sweepUp(now time.Time) {
	if now.Before(s.sweep.next) {
		return
	}
	s.sweep.next = now.Add(sweepEvery)
	if s.ledger.Purge(s.ledger.SnapshotUpTo(s.member.Expired(now) + 1)) {
		s.shown = max(s.shown, s.base())
	}
	s.member.Forget(now)
	s.snapshot(now)
}

func (s *Seat) base() wire.Seq {
	p, _ := s.ledger.Log().Base()
	return p.Seq
}

// snapshot writes one if it is this node's turn.
func (s *Seat) snapshot(now time.Time) {
	fold := s.ledger.Fold()
	if !fold.Admin(s.self) || fold.Dissolved() || s.member.CatchingUp(now) || now.Sub(s.sweep.written) < shortestSnap {
		return
	}
	since, any := s.unsnapped(now)
	if !any {
		return
	}
	members := fold.Roster()
	payload := members.Append(nil)
	turn, _ := fold.Seniority(s.self)
	if now.Sub(since) < snapEvery(len(payload))+time.Duration(turn)*snapTurn {
		return
	}
	s.sweep.written = now
	r, err := wire.ParseRecord(wire.SignRecords(s.cfg.Signer, []wire.Record{{
		Group: s.group, ID: s.snapshotID(now), Kind: wire.KindSnapshot, Time: wire.Millis(now.UnixMilli()), Payload: payload,
	}})[0])
	if err == nil {
		s.member.Write(now, r)
	}
}

func snapEvery(roster int) time.Duration {
	return min(time.Duration(1+roster/snapHourBytes)*shortestSnap, longestSnap)
}

// unsnapped returns since when a snapshot is wanted: since the newest, if by another
// what stands before it could be forgotten, or else since there are records behind it.
// None is for snapshots alone.
func (s *Seat) unsnapped(now time.Time) (since time.Time, any bool) {
	log, newest := s.ledger.Log(), s.ledger.Snapshot()
	for at := s.base() + 1; at < newest; at++ {
		if e, ok := log.At(at); ok && e.Record.Kind != wire.KindSnapshot && !s.ledger.Fold().Past(e.Record) {
			if last, _ := log.At(newest); now.Sub(timeOf(e.Record)) > snapLate {
				return timeOf(last.Record), true
			}
			break
		}
	}
	for at := max(newest, s.base()) + 1; at <= log.Seq(); at++ {
		if e, ok := log.At(at); ok && e.Record.Kind != wire.KindSnapshot {
			return timeOf(e.Record), true
		}
	}
	return since, false
}

func timeOf(r *wire.Record) time.Time { return time.UnixMilli(int64(r.Time)) }

// snapshotID names a snapshot: by time first, as all record ids.
func (s *Seat) snapshotID(now time.Time) (id wire.RecordID) {
	b := binary.BigEndian.AppendUint64(append(s.self[:], s.group[:]...), uint64(now.UnixMilli()))
	h := sha256.Sum256(b)
	copy(id[:], b[len(b)-6:])
	copy(id[6:], h[:])
	return id
}
