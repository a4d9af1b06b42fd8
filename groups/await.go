package groups

import (
	"context"
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
)

// wait is one who waits for an own record to come so far.
type wait struct {
	far  func(Standing) bool
	done chan Standing
}

// awaits are those of a room, by the record. Each is looked at when something has
// happened to its record, and not whenever something has in the group: of a
// thousand that wait for as many records, one acceptance concerns one.
type awaits struct {
	of      map[wire.RecordID][]*wait
	stirred []wire.RecordID // to which something has happened
	all     bool            // or to all: somebody has acknowledged, the roster or the log is another
}

// Await waits until an own record has come so far, or is refused. The group's
// goroutine calls far, which must not block, with what is on disk.
func (s *Service) Await(ctx context.Context, g wire.GroupID, id wire.RecordID, far func(Standing) bool) (Standing, error) {
	w := &wait{far: far, done: make(chan Standing, 1)}
	r := s.room(g)
	if r == nil {
		return Standing{}, ErrNoGroup
	}
	known := false
	err := r.see(ctx, func(time.Time) {
		if known = r.sent[id] != nil; known {
			r.look(id, w)
		}
	})
	switch {
	case err != nil:
		return Standing{}, err
	case !known:
		return Standing{}, ErrUnknown
	}
	select {
	case st := <-w.done:
		return st, nil
	case <-r.closed:
		return Standing{}, ErrGone
	case <-ctx.Done():
		r.post(func(time.Time) { r.awaited.leave(w) })
		return Standing{}, ctx.Err()
	}
}

// look lets one who waits go, or wait on for the newest that the record's content
// was written as.
func (r *room) look(id wire.RecordID, w *wait) {
	id, x := r.newest(id)
	if x == nil { // written so long ago that it is forgotten
		w.done <- Standing{ID: id}
		return
	}
	if st := r.standing(id, x); w.far(st) || st.Refused != 0 {
		w.done <- st
		return
	}
	if r.awaited.of == nil {
		r.awaited.of = make(map[wire.RecordID][]*wait)
	}
	r.awaited.of[id] = append(r.awaited.of[id], w)
}

// newest is what an own record's content was written as last, and what became of
// that; nil if it is not known.
func (r *room) newest(id wire.RecordID) (wire.RecordID, *sentRecord) {
	x := r.sent[id]
	for x != nil && x.again != (wire.RecordID{}) {
		id = x.again
		x = r.sent[id]
	}
	return id, x
}

// awaken looks at those who wait for what has happened.
func (r *room) awaken() {
	w := &r.awaited
	if w.all {
		w.stirred = w.stirred[:0]
		for id := range w.of {
			w.stirred = append(w.stirred, id)
		}
	}
	for _, id := range w.stirred {
		list := w.of[id]
		delete(w.of, id)
		for _, x := range list {
			r.look(id, x)
		}
	}
	w.stirred, w.all = w.stirred[:0], false
}

// stir notes that something has happened to a record.
func (w *awaits) stir(id wire.RecordID) {
	if len(w.of) > 0 {
		w.stirred = append(w.stirred, id)
	}
}

// leave forgets one who waits no more.
func (w *awaits) leave(gone *wait) {
	for id, list := range w.of {
		list = slices.DeleteFunc(list, func(x *wait) bool { return x == gone })
		if w.of[id] = list; len(list) == 0 {
			delete(w.of, id)
		}
	}
}
