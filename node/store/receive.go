package store

import (
	"encoding/binary"
	"fmt"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Window is what the duplicate window knows of an author and id.
type Window uint8

// The answers of the duplicate window.
const (
	// Fresh: not seen within its lifetime.
	Fresh Window = iota
	// InFlight: another copy is being stored now. It is not yet safe, so it must
	// not be receipted; whoever stores it does that.
	InFlight
	// Seen: stored. With the same digest it is to be receipted again.
	Seen
)

// Seen asks the duplicate window. digest is that of the message stored or being
// stored.
func (s *Store) Seen(from protocols.Key, id envelope.ID) (digest envelope.Digest, w Window, err error) {
	s.mu.Lock()
	digest, flying := s.flight[windowID{from, id}]
	above := s.fresh.above(from, id)
	s.mu.Unlock()
	if flying {
		return digest, InFlight, nil
	}
	if above {
		return digest, Fresh, nil
	}
	row, ok, err := s.kv.Get(windowKey(from, id))
	if err == nil && !ok {
		return digest, Fresh, s.learnHighest(from, id)
	}
	if err != nil {
		return digest, Fresh, err
	}
	u := unpacker{b: row}
	u.fixed(digest[:])
	return digest, Seen, u.err
}

// Room says whether a message with so many bytes of content would fit into the
// inbox now. Receive alone reserves; Room spares the work before it.
func (s *Store) Room(stranger bool, size int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.roomFor(stranger, windowCost+rowWeight(size))
}

// roomFor needs mu.
func (s *Store) roomFor(stranger bool, weight int64) bool {
	if s.taken.inbox+weight > s.inboxLimit {
		return false
	}
	return !stranger || s.taken.strangers+weight <= s.inboxLimit/2
}

// Receive stores messages, inbox row and window entry together, in one synced
// commit. Before it returns it sets the Outcome of each; those that are not
// Storing are left alone. It does not block. The messages must not be changed
// until done, which is called once, also if none is stored, on the committer's
// goroutine, in the order in which writes were queued; it must not block nor
// wait for another write. Before done, Cursor is set in each message stored;
// first is the lowest.
//
// Receipts may go out when done is told no error.
func (s *Store) Receive(in []*Incoming, done func(first Cursor, err error)) {
	rows, err := s.reserve(in)
	if err != nil {
		s.release(rows)
		s.refuse(done, err)
		return
	}
	s.writes.put(write{
		sync:   len(rows) > 0,
		change: func(t *tx) error { return s.receive(t, rows) },
		done: func(first Cursor, err error) {
			if err != nil {
				s.release(rows)
			}
			done(first, err)
		},
	})
}

// inRow is a received message ready to be written.
type inRow struct {
	in    *Incoming
	row   []byte // nil for a hidden one
	fresh bool   // its entry in the window is certain to be new
}

// reserve decides about each message, takes the room of those to be stored, and
// packs them.
func (s *Store) reserve(in []*Incoming) ([]inRow, error) {
	rows := make([]inRow, 0, len(in))
	s.mu.Lock()
	for _, m := range in {
		if m.Outcome = s.admit(m); m.Outcome == Storing {
			rows = append(rows, inRow{in: m, fresh: s.fresh.admit(m.From, m.ID)})
		}
	}
	s.mu.Unlock()
	fresh := rows[:0]
	for i, r := range rows {
		// Only now, with the entry in flight, an empty window stays empty.
		stored, err := s.stored(r)
		if err == nil && !stored {
			r.row, err = s.packIncoming(r.in)
		}
		if err != nil {
			return append(fresh, rows[i:]...), err
		}
		if stored {
			r.in.Outcome = Duplicate
			s.release([]inRow{r})
			continue
		}
		fresh = append(fresh, r)
	}
	return fresh, nil
}

// admit puts a message's window entry in flight and takes its room; mu is held.
func (s *Store) admit(m *Incoming) Outcome {
	w := windowID{m.From, m.ID}
	if _, flying := s.flight[w]; flying {
		return Duplicate
	}
	weight := m.weight()
	if !s.roomFor(m.Stranger, weight) {
		return NoRoom
	}
	s.flight[w] = m.Digest
	s.taken.inbox += weight
	if m.Stranger {
		s.taken.strangers += weight
	}
	return Storing
}

func (s *Store) stored(r inRow) (bool, error) {
	if r.fresh {
		return false, nil
	}
	_, ok, err := s.kv.Get(windowKey(r.in.From, r.in.ID))
	return ok, err
}

func (s *Store) packIncoming(m *Incoming) ([]byte, error) {
	if m.Hidden {
		return nil, nil
	}
	sealed, err := s.shred.Shred(m.End, m.Content)
	if err != nil {
		return nil, fmt.Errorf("seal content: %w", err)
	}
	return m.append(make([]byte, 0, len(sealed)+len(m.Path)+144), sealed), nil
}

// release gives back what admit took for messages that are not stored.
func (s *Store) release(rows []inRow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rows {
		s.land(r.in)
		weight := r.in.weight()
		s.taken.inbox -= weight
		if r.in.Stranger {
			s.taken.strangers -= weight
		}
	}
}

// land ends the flight of a window entry; mu is held.
func (s *Store) land(m *Incoming) { delete(s.flight, windowID{m.From, m.ID}) }

func (s *Store) receive(t *tx, rows []inRow) error {
	for _, r := range rows {
		m := r.in
		m.Cursor = s.number(t, m)
		window := binary.AppendUvarint(m.Digest[:len(m.Digest):len(m.Digest)], uint64(m.Cursor))
		key := windowKey(m.From, m.ID)
		t.batch.Put(key, window)
		t.dies(minuteOf(m.End.Add(windowSlack)), key, flag(m.Stranger, flagStranger))
		if r.row != nil {
			key := cursorKey(tableInbox, m.Cursor)
			t.batch.Put(key, r.row)
			t.dies(minuteOf(m.End), key, 0)
			if !m.Muted {
				t.counters.unread++
			}
		}
		t.counters.inbox += m.weight()
		if m.Stranger {
			if err := t.addStranger(m.From, m.weight()); err != nil {
				return err
			}
		}
	}
	t.committed(func() {
		for _, r := range rows {
			s.land(r.in)
		}
	})
	return nil
}

func (s *Store) number(t *tx, m *Incoming) Cursor {
	if m.Hidden || m.Muted {
		return t.takeNumber()
	}
	return t.event(Received)
}
