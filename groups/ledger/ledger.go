// Package ledger is a group's log with what follows from it: who is a member at
// its end, and which of its records have effect.
//
// A log is held from its beginning, or from a snapshot on that an admin signed:
// what lies before it is forgotten when all of it is a day old.
package ledger

import (
	"slices"

	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/roster"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// Ledger is a journal and its fold. The journal must be changed through it only.
type Ledger struct {
	verifier  wire.Verifier
	charter   *wire.Charter
	journal   *journal.Journal
	base      *roster.Fold // before the first entry
	fold      *roster.Fold
	void      map[wire.Seq]error
	departed  []departure // whom records with effect took out, in their order
	snapshots []wire.Seq  // with effect, ascending
	settings  wire.Seq    // the newest that have effect; 0: none stand in the log
	changed   bool        // the fold's version, since it was last asked
	disk      disk
}

// departure is the place of the record that took one out who is no member, and no
// relay, now.
type departure struct {
	who protocols.Key
	at  wire.Seq
}

// Base is a place behind which a log begins.
type Base struct {
	Place wire.Place
	Hash  wire.LogHash // of the log up to there
}

// New makes the ledger of a group whose log is held from the beginning.
func New(v wire.Verifier, c *wire.Charter) *Ledger {
	l := &Ledger{verifier: v, charter: c, disk: nothing}
	l.restart(journal.Whole(c), roster.New(v, c))
	return l
}

// Begin forgets the log and begins one behind a place, with the roster of the
// snapshot that stands next.
func (l *Ledger) Begin(b Base, r *wire.Roster) {
	l.restart(journal.New(b.Place, b.Hash), roster.FromSnapshot(l.verifier, l.charter, r))
	l.disk.rebase()
}

// Empty forgets the log and begins at the group's beginning.
func (l *Ledger) Empty() {
	l.restart(journal.Whole(l.charter), roster.New(l.verifier, l.charter))
	l.disk.rebase()
}

func (l *Ledger) restart(j *journal.Journal, base *roster.Fold) {
	l.journal, l.base, l.fold = j, base, base.Clone()
	l.void, l.departed, l.snapshots, l.settings, l.changed = make(map[wire.Seq]error), nil, nil, 0, true
}

// Beginning returns the log's hash before its first record: the charter's.
func (l *Ledger) Beginning() wire.LogHash { return l.charter.Hash() }

// Log returns the journal, to be read.
func (l *Ledger) Log() *journal.Journal { return l.journal }

// Fold returns the roster at the log's end, to be read.
func (l *Ledger) Fold() *roster.Fold { return l.fold }

// RosterChanged says whether the roster may be another since it was last asked.
func (l *Ledger) RosterChanged() bool {
	c := l.changed
	l.changed = false
	return c
}

// Void returns why the record at a seq has no effect, nil if it has.
func (l *Ledger) Void(s wire.Seq) error { return l.void[s] }

// Departed returns those whom records in the log took out of the group, in their
// order.
func (l *Ledger) Departed() []protocols.Key {
	list := make([]protocols.Key, len(l.departed))
	for i, d := range l.departed {
		list[i] = d.who
	}
	return list
}

// Departure returns where the record stands that took one out of the group; false
// for one who is a member, or never was, or of whom the log has forgotten it.
func (l *Ledger) Departure(who protocols.Key) (at wire.Seq, ok bool) {
	i := slices.IndexFunc(l.departed, func(d departure) bool { return d.who == who })
	if i < 0 {
		return 0, false
	}
	return l.departed[i].at, true
}

// Append puts an entry, whose record's proof is verified, at the log's end.
func (l *Ledger) Append(p wire.Place, raw []byte, e *wire.Entry) (journal.Entry, error) {
	held, err := l.journal.Append(p, raw, e)
	if err == nil {
		l.apply(held)
	}
	return held, err
}

// apply folds an entry. A record that stands twice counts the first time.
func (l *Ledger) apply(e journal.Entry) {
	version := l.fold.Version()
	if first, _ := l.journal.Find(e.Record.Name()); first != e.Place.Seq {
		l.void[e.Place.Seq] = roster.ErrStale
		return
	}
	relays := l.fold.Relays()
	change, err := l.fold.Apply(e.Record, e.Old != nil)
	switch {
	case err != nil:
		l.void[e.Place.Seq] = err
	case change.Kind == wire.KindSnapshot:
		l.snapshots = append(l.snapshots, e.Place.Seq)
	case change.Kind == wire.KindLeave, change.Kind == wire.KindKick:
		l.depart(e.Place.Seq, change.Node)
	case change.Kind == wire.KindJoin:
		l.depart(e.Place.Seq)
	case change.Kind == wire.KindSettings:
		l.settings = e.Place.Seq
		l.depart(e.Place.Seq, relays...)
	}
	if l.fold.Version() != version || l.fold.Dissolved() {
		l.changed = true
	}
}

// depart notes those to whom the log goes no more, by a record at a seq, and forgets
// those to whom it goes again.
func (l *Ledger) depart(at wire.Seq, who ...protocols.Key) {
	for _, k := range who {
		l.departed = append(l.departed, departure{k, at})
	}
	l.departed = slices.DeleteFunc(l.departed, func(d departure) bool { return l.fold.Hears(d.who) })
}

// Cut takes off the entries behind a seq, and folds what stays anew.
func (l *Ledger) Cut(s wire.Seq) []journal.Entry {
	cut := l.journal.Cut(s)
	if len(cut) == 0 {
		return nil
	}
	l.disk.cut(s)
	l.fold, l.changed, l.departed, l.snapshots, l.settings = l.base.Clone(), true, nil, nil, 0
	clear(l.void)
	l.journal.All(l.apply)
	return cut
}

// Settings returns the seq of the newest settings with effect, and 0 for none.
func (l *Ledger) Settings() wire.Seq { return l.settings }

// Snapshot returns the seq of the newest snapshot with effect, and 0 for none.
func (l *Ledger) Snapshot() wire.Seq { return l.SnapshotUpTo(l.journal.Seq()) }

// SnapshotUpTo is Snapshot, of those that stand at a seq or before.
func (l *Ledger) SnapshotUpTo(s wire.Seq) wire.Seq {
	for _, at := range slices.Backward(l.snapshots) {
		if at <= s {
			return at
		}
	}
	return 0
}

// Purge forgets what stands before a snapshot with effect, at a seq. It says
// whether that was anything.
func (l *Ledger) Purge(s wire.Seq) bool {
	base, _ := l.journal.Base()
	e, ok := l.journal.At(s)
	if !ok || s == base.Seq+1 || !slices.Contains(l.snapshots, s) {
		return false
	}
	r, err := wire.ParseRoster(e.Record.Payload)
	if err != nil {
		return false
	}
	l.journal.Purge(s)
	l.base = roster.FromSnapshot(l.verifier, l.charter, r)
	l.snapshots = slices.DeleteFunc(l.snapshots, func(at wire.Seq) bool { return at < s })
	l.departed = slices.DeleteFunc(l.departed, func(d departure) bool { return d.at < s })
	for at := range l.void {
		if at < s {
			delete(l.void, at)
		}
	}
	if l.settings < s {
		l.settings = 0
	}
	return true
}
