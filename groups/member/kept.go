package member

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
)

// Kept is a record that must be found again after a restart although it is not,
// or not for sure, in the log.
type Kept struct {
	Name   wire.RecordName
	Record []byte
	Old    *wire.Old // where it stood first, nil for nowhere yet
	Own    bool      // this node's, and not accepted yet
}

// kept are the records whose Kept is another since it was last told.
type kept struct {
	lack  map[wire.RecordName]*held // held and not in the log
	told  map[wire.RecordName]bool  // on disk
	dirty map[wire.RecordName]bool
	order []wire.RecordName // of dirty
}

func newKept() kept {
	return kept{
		lack: make(map[wire.RecordName]*held), told: make(map[wire.RecordName]bool), dirty: make(map[wire.RecordName]bool),
	}
}

// touch notes that a record's Kept may be another.
func (k *kept) touch(n wire.RecordName) {
	if !k.dirty[n] {
		k.dirty[n] = true
		k.order = append(k.order, n)
	}
}

// placed notes that a record stands in the log.
func (k *kept) placed(n wire.RecordName) {
	if k.lack[n] != nil {
		delete(k.lack, n)
		k.touch(n)
	}
}

// Kept returns what is to be kept besides the log: what is not on disk yet; what is,
// of which something else is known now; and what is there and to be kept no more. It
// is of that which has changed since it was last asked.
func (m *Member) Kept() (keep, anew []Kept, drop []wire.RecordName) {
	k := &m.kept
	for _, n := range k.order {
		x, ok := m.keptAs(n)
		switch told := k.told[n]; {
		case ok && told:
			anew = append(anew, x)
		case ok:
			keep, k.told[n] = append(keep, x), true
		case told:
			delete(k.told, n)
			drop = append(drop, n)
		}
	}
	clear(k.dirty)
	k.order = nil
	return keep, anew, drop
}

// keptAs is what is to be kept of a record; ok is false if nothing is.
func (m *Member) keptAs(n wire.RecordName) (x Kept, ok bool) {
	o, h := m.own.find(n), m.kept.lack[n]
	switch {
	case o != nil:
		x = Kept{Name: n, Record: o.record.Bytes(), Own: true}
	case h != nil:
		x = Kept{Name: n, Record: h.record.Bytes()}
	}
	if h != nil {
		x.Old = h.old
	}
	return x, o != nil || h != nil
}

// Restore puts back what was kept. fresh says that it is not on disk yet.
func (m *Member) Restore(now time.Time, list []Kept, fresh bool) {
	for _, x := range list {
		r, err := wire.ParseRecord(x.Record)
		if err != nil {
			continue
		}
		if x.Own && r.Author == m.cfg.Self {
			m.own.add(&own{record: r, written: earlier(now, r)}, now)
		}
		h := m.hold(now, r, x.Old)
		h.shown = h.shown || x.Old != nil && !x.Own
		if m.kept.told[r.Name()] = !fresh; fresh {
			m.kept.touch(r.Name())
		}
	}
}

// earlier is when the life of a record began: by its author's clock, if that is
// not ahead of this node's.
func earlier(now time.Time, r *wire.Record) time.Time {
	if t := time.UnixMilli(int64(r.Time)); t.Before(now) {
		return t
	}
	return now
}

// owns are the records of this node that are to be published, in their order.
type owns struct {
	list []*own
	of   map[wire.RecordID]*own // those of the list that are still to be
	due  time.Time              // when the next is to be published again
	put  putOff
}

func (o *owns) find(n wire.RecordName) *own {
	if x := o.of[n.ID]; x != nil && x.record.Author == n.Author {
		return x
	}
	return nil
}

// add adds a record that is due at a time.
func (o *owns) add(x *own, due time.Time) {
	if o.of == nil {
		o.of = make(map[wire.RecordID]*own)
	}
	if len(o.of) == 0 || due.Before(o.due) {
		o.due = due
	}
	o.of[x.record.ID] = x
	o.list = append(o.list, x)
}

// remove takes a record off, from the list some time: there is an answer to it.
func (o *owns) remove(x *own) {
	delete(o.of, x.record.ID)
	o.put.times, o.put.total = 0, 0
}

// open returns those that are to be published.
func (o *owns) open() []*own {
	o.list = slices.DeleteFunc(o.list, func(x *own) bool { return o.of[x.record.ID] != x })
	return o.list
}
