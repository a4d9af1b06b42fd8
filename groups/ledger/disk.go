package ledger

import (
	"github.com/tom-protocol/tom/groups/journal"
	"github.com/tom-protocol/tom/groups/wire"
)

// Change is what a disk has to be told of a log, all at once.
type Change struct {
	Base *Base // where the log begins now; nil: where it did
	Drop []Span
	Put  []journal.Entry
}

// Span is the seqs from one to another, both with it.
type Span struct{ From, To wire.Seq }

// Empty says that there is nothing to tell.
func (c *Change) Empty() bool { return c.Base == nil && len(c.Drop)+len(c.Put) == 0 }

// disk is what was told: that entries stand at from to to, and of those that
// all up to same are as in the log.
type disk struct {
	from, to, same wire.Seq
	base           wire.Seq
	rebased        bool
}

var nothing = disk{from: 1}

// cut notes that what stands behind a seq may be another from here on.
func (d *disk) cut(s wire.Seq) { d.same = min(d.same, s) }

// rebase notes that nothing is as it was.
func (d *disk) rebase() { d.same, d.rebased = 0, true }

// Change returns what has become of the log since it was last asked.
func (l *Ledger) Change() (c Change) {
	base, hash := l.journal.Base()
	d, first, last := l.disk, base.Seq+1, l.journal.Seq()
	if d.rebased || d.base != base.Seq {
		c.Base = &Base{Place: base, Hash: hash}
	}
	if to := min(d.to, first-1); d.from <= to {
		c.Drop = append(c.Drop, Span{d.from, to})
	}
	if from := max(d.from, last+1); from <= d.to {
		c.Drop = append(c.Drop, Span{from, d.to})
	}
	c.Put = l.journal.Behind(max(base.Seq, d.same))
	l.disk = disk{from: first, to: last, same: last, base: base.Seq}
	return c
}
