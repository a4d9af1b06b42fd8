package seat

import (
	"maps"
	"slices"

	"github.com/tom-protocol/tom/groups/failover"
	"github.com/tom-protocol/tom/groups/ledger"
	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
)

// Disk is what a seat must find again after a restart.
type Disk struct {
	Failover failover.Durable
	Base     ledger.Base // behind which the log begins; zero: it is whole
	Log      []Stored    // in order
	Kept     []member.Kept
}

// Stored is an entry of the log and its place.
type Stored struct {
	Place wire.Place
	Raw   []byte
}

// Save is what has changed of it: all of it goes to disk at once, before anything
// is sent. But Anew and Drop may wait until something else does: what the disk has in
// their stead comes to the same, a little later.
type Save struct {
	Failover *failover.Durable // nil: it has not
	Log      ledger.Change
	Keep     []member.Kept
	Anew     []member.Kept // is there, and known otherwise
	Drop     []wire.RecordName
}

// First says that something has to be on disk before anything is sent.
func (s *Save) First() bool {
	return s.Failover != nil || !s.Log.Empty() || len(s.Keep) > 0
}

// Empty says that there is nothing to save.
func (s *Save) Empty() bool {
	return !s.First() && len(s.Anew)+len(s.Drop) == 0
}

// Apply is what saving does, for those whose disk is memory.
func (d *Disk) Apply(s Save) {
	if s.Failover != nil {
		d.Failover = *s.Failover
	}
	if s.Log.Base != nil {
		d.Base = *s.Log.Base
	}
	for _, x := range s.Log.Drop {
		d.Log = slices.DeleteFunc(d.Log, func(e Stored) bool { return e.Place.Seq >= x.From && e.Place.Seq <= x.To })
	}
	for _, e := range s.Log.Put {
		i, found := slices.BinarySearchFunc(d.Log, e.Place.Seq, func(e Stored, at wire.Seq) int { return int(int64(e.Place.Seq) - int64(at)) })
		if found {
			d.Log[i] = Stored{Place: e.Place, Raw: e.Raw}
		} else {
			d.Log = slices.Insert(d.Log, i, Stored{Place: e.Place, Raw: e.Raw})
		}
	}
	for _, n := range s.Drop {
		d.Kept = slices.DeleteFunc(d.Kept, func(k member.Kept) bool { return k.Name == n })
	}
	for _, k := range slices.Concat(s.Keep, s.Anew) {
		d.Kept = append(slices.DeleteFunc(d.Kept, func(x member.Kept) bool { return x.Name == k.Name }), k)
	}
}

// Clone returns a disk that goes its own way from here on.
func (d *Disk) Clone() Disk {
	c := *d
	c.Log, c.Kept = slices.Clone(d.Log), slices.Clone(d.Kept)
	return c
}

// save returns what has changed since it was last asked.
func (s *Seat) save() (x Save) {
	if s.rehubbed {
		s.rehubbed = false
		d := s.failover.Durable()
		d.Withdrawn, d.Condemned, d.Displaced = maps.Clone(d.Withdrawn), maps.Clone(d.Condemned), maps.Clone(d.Displaced)
		x.Failover = &d
	}
	x.Log = s.ledger.Change()
	x.Keep, x.Anew, x.Drop = s.member.Kept()
	return x
}

// load makes the ledger of what is on disk.
func (d *Disk) load(l *ledger.Ledger) error {
	for i, e := range d.Log {
		entry, err := wire.ParseEntry(e.Raw)
		if err != nil {
			return err
		}
		if i == 0 && d.Base.Place.Seq > 0 {
			r, err := wire.ParseRoster(entry.Record.Payload)
			if err != nil {
				return err
			}
			l.Begin(d.Base, r)
		}
		if _, err := l.Append(e.Place, e.Raw, entry); err != nil {
			return err
		}
	}
	l.Change() // it is on disk
	return nil
}

// Attached says whether a member has attached to the hub on this node.
func (s *Seat) Attached(k [32]byte) bool { return s.failover.Attached(k) }
