// Package ledger is a group's log with what follows from it: who is a member at
// its end, and which of its records have effect.
package ledger

import (
	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/roster"
	"github.com/tom-protocol/tom/groups/wire"
)

// Ledger is a journal and its fold. The journal must be changed through it only.
type Ledger struct {
	journal *journal.Journal
	base    *roster.Fold // before the first entry
	fold    *roster.Fold
	void    map[wire.Seq]error
	changed bool // the fold's version, since it was last asked
}

// New makes the ledger of a group whose log is held from the beginning.
func New(v wire.Verifier, c *wire.Charter) *Ledger {
	f := roster.New(v, c)
	return &Ledger{journal: journal.Whole(c), base: f, fold: f.Clone(), void: make(map[wire.Seq]error), changed: true}
}

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
	if _, err := l.fold.Apply(e.Record, e.Old != nil); err != nil {
		l.void[e.Place.Seq] = err
	}
	if l.fold.Version() != version || l.fold.Dissolved() {
		l.changed = true
	}
}

// Cut takes off the entries behind a seq, and folds what stays anew.
func (l *Ledger) Cut(s wire.Seq) []journal.Entry {
	cut := l.journal.Cut(s)
	if len(cut) == 0 {
		return nil
	}
	l.fold, l.changed = l.base.Clone(), true
	clear(l.void)
	l.journal.All(l.apply)
	return cut
}
