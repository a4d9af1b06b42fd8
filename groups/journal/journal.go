// Package journal is a group's log as one node holds it: entries in their order,
// each with the hash of the log up to it.
package journal

import (
	"errors"
	"slices"

	"github.com/tom-protocol/tom/groups/wire"
)

// Entry is one place of the log.
type Entry struct {
	Place  wire.Place
	Raw    []byte // as wire.Entry encodes it
	Record *wire.Record
	Old    *wire.Old    // where it stood before a merge, nil for nowhere
	Hash   wire.LogHash // of the log up to this entry
}

// ErrGap is returned for an entry that does not follow the last one.
var ErrGap = errors.New("does not follow the log's end")

// Journal holds a log from a base on.
type Journal struct {
	base    wire.Place
	before  wire.LogHash
	entries []Entry
	names   map[wire.RecordName]wire.Seq
	upTo    []int // bytes up to each entry, counted from some place before the first
	forgot  int   // bytes up to the first
}

// New makes the journal of a log that begins behind base, which for a whole log
// is the charter: seq 0, number 0, its creator, its hash.
func New(base wire.Place, hash wire.LogHash) *Journal {
	return &Journal{base: base, before: hash, names: make(map[wire.RecordName]wire.Seq)}
}

// Whole makes the empty journal of a group.
func Whole(c *wire.Charter) *Journal {
	return New(wire.Place{Primary: c.Creator}, c.Hash())
}

// End returns the place and hash of the last entry, or the base.
func (j *Journal) End() (wire.Place, wire.LogHash) {
	if n := len(j.entries); n > 0 {
		return j.entries[n-1].Place, j.entries[n-1].Hash
	}
	return j.base, j.before
}

// Seq returns the seq of the last entry.
func (j *Journal) Seq() wire.Seq {
	p, _ := j.End()
	return p.Seq
}

// At returns the entry at a seq; ok is false if it is not held.
func (j *Journal) At(s wire.Seq) (e Entry, ok bool) {
	if s <= j.base.Seq || s > j.Seq() {
		return Entry{}, false
	}
	return j.entries[s-j.base.Seq-1], true
}

// Behind returns the entries behind a seq, which is the base or later. They stay what
// they are, whatever becomes of the log.
func (j *Journal) Behind(s wire.Seq) []Entry {
	if s >= j.Seq() {
		return nil
	}
	return slices.Clip(j.entries[s-j.base.Seq:])
}

// HashAt returns the log's hash up to a seq; ok is false if it is not known.
func (j *Journal) HashAt(s wire.Seq) (h wire.LogHash, ok bool) {
	if s == j.base.Seq {
		return j.before, true
	}
	e, ok := j.At(s)
	return e.Hash, ok
}

// Has says whether the log ever had that state: seq and hash.
func (j *Journal) Has(s wire.Seq, h wire.LogHash) bool {
	held, ok := j.HashAt(s)
	return ok && held == h
}

// Find returns where a record stands; ok is false if it does not.
func (j *Journal) Find(n wire.RecordName) (s wire.Seq, ok bool) {
	s, ok = j.names[n]
	return s, ok
}

// Append puts an entry behind the last one. Its seq must follow.
func (j *Journal) Append(p wire.Place, raw []byte, e *wire.Entry) (Entry, error) {
	last, hash := j.End()
	if p.Seq != last.Seq+1 {
		return Entry{}, ErrGap
	}
	held := Entry{Place: p, Raw: raw, Record: e.Record, Old: e.Old, Hash: hash.NextSum(p, e.Sum(raw))}
	j.upTo = append(j.upTo, j.bytesAt(last.Seq)+len(raw))
	j.entries = append(j.entries, held)
	if _, twice := j.names[e.Record.Name()]; !twice {
		j.names[e.Record.Name()] = p.Seq
	}
	return held, nil
}

// Cut takes off all entries behind a seq and returns them in order.
func (j *Journal) Cut(s wire.Seq) []Entry {
	if s >= j.Seq() || s < j.base.Seq {
		return nil
	}
	n := int(s - j.base.Seq)
	cut := slices.Clone(j.entries[n:])
	j.entries, j.upTo = slices.Clip(j.entries[:n]), slices.Clip(j.upTo[:n])
	for _, e := range cut {
		if j.names[e.Record.Name()] == e.Place.Seq {
			delete(j.names, e.Record.Name())
		}
	}
	return cut
}

// Base returns the place behind which the journal begins, and the log's hash up
// to it.
func (j *Journal) Base() (wire.Place, wire.LogHash) { return j.base, j.before }

// Purge takes off all entries before a seq, which must be held.
func (j *Journal) Purge(s wire.Seq) {
	if s <= j.base.Seq+1 || s > j.Seq() {
		return
	}
	n := int(s - j.base.Seq - 1)
	for _, e := range j.entries[:n] {
		if j.names[e.Record.Name()] == e.Place.Seq {
			delete(j.names, e.Record.Name())
		}
	}
	last := j.entries[n-1]
	j.base, j.before, j.forgot = last.Place, last.Hash, j.upTo[n-1]
	j.entries, j.upTo = slices.Clone(j.entries[n:]), slices.Clone(j.upTo[n:])
}

// Bounds of a page.
const (
	pageEntries = 256
	PageBytes   = 128 << 10 // but one entry at least
)

// Page returns the entries behind a seq, up to and with another, as many as go
// into one frame. ok is false if there are none.
func (j *Journal) Page(g wire.GroupID, from, to wire.Seq) (f wire.Records, last wire.Seq, ok bool) {
	before, known := j.HashAt(from)
	last = j.Within(from, to, PageBytes)
	if !known || last == from {
		return f, from, false
	}
	f = wire.Records{Group: g, Runs: []wire.Run{}, First: from + 1, Before: before, Entries: [][]byte{}}
	for s := from + 1; s <= last; s++ {
		e, _ := j.At(s)
		f.Put(e.Raw, e.Record, e.Old)
		if n := len(f.Runs); n > 0 && f.Runs[n-1].Number == e.Place.Number && f.Runs[n-1].Primary == e.Place.Primary {
			f.Runs[n-1].Entries++
		} else {
			f.Runs = append(f.Runs, wire.Run{Entries: 1, Number: e.Place.Number, Primary: e.Place.Primary})
		}
	}
	return f, last, true
}

// All calls f with every entry in order.
func (j *Journal) All(f func(Entry)) {
	for _, e := range j.entries {
		f(e)
	}
}

// Size returns how many bytes the entries have.
func (j *Journal) Size() int { return j.bytesAt(j.Seq()) - j.forgot }

// bytesAt counts the bytes up to the entry at a seq, which is held or the base.
func (j *Journal) bytesAt(s wire.Seq) int {
	if s == j.base.Seq {
		return j.forgot
	}
	return j.upTo[s-j.base.Seq-1]
}

// Within returns the last seq up to which what stands behind another, up to a third,
// goes into one page and has at most so many bytes: one entry at least, if there is
// one.
func (j *Journal) Within(from, to wire.Seq, size int) wire.Seq {
	to = min(to, j.Seq(), from+pageEntries)
	if from < j.base.Seq || from >= to {
		return from
	}
	n, begun := int(from-j.base.Seq), j.bytesAt(from)
	fit, _ := slices.BinarySearch(j.upTo[n:to-j.base.Seq], begun+size+1)
	return from + max(wire.Seq(fit), 1)
}

// Len returns how many entries are held.
func (j *Journal) Len() int { return len(j.entries) }
