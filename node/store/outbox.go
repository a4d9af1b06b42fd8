package store

import (
	"fmt"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// held is what is kept in memory of an outbox row; the outbox's bound bounds
// their number.
type held struct {
	to        protocols.Key
	state     delivery.State // as last committed
	weight    int64          // bytes it takes of the outbox
	control   bool
	enveloped bool // it has a row in tableEnvelope
}

// Accept puts messages into the outbox, all or none, in one synced commit.
// Message i takes event number first+i, and unless it is a control message, its
// event says queued. Accept does not block and does not keep out: rows are
// packed before it returns, on the caller's goroutine. done is called once, on
// the committer's goroutine, in the order in which writes were queued; it must
// not block nor wait for another write. If the outbox has no room, done is told
// ErrFull. Recipients of messages that are not control become correspondents.
func (s *Store) Accept(out []*Outgoing, done func(first Cursor, err error)) {
	var weight int64
	for _, o := range out {
		weight += o.weight()
	}
	rows, err := s.packOutgoing(out)
	if err == nil {
		err = s.takeOutbox(weight)
	}
	if err != nil {
		s.refuse(done, err)
		return
	}
	if err := s.writeTo(out); err != nil {
		s.giveOutbox(weight)
		s.refuse(done, err)
		return
	}
	s.writes.put(write{
		sync:   true,
		change: func(t *tx) error { return s.accept(t, rows) },
		done: func(first Cursor, err error) {
			if err != nil {
				s.giveOutbox(weight)
			}
			done(first, err)
		},
	})
}

// refuse tells done of an error, in its turn.
func (s *Store) refuse(done func(Cursor, error), err error) {
	s.writes.put(write{change: func(*tx) error { return nil }, done: func(Cursor, error) { done(0, err) }})
}

// outRow is an outbox row ready to be written.
type outRow struct {
	id, supersedes envelope.ID
	end            time.Time
	held           held
	row            []byte
	said           []byte // the row that keeps its content; nil if none is to be
}

func (s *Store) packOutgoing(out []*Outgoing) ([]outRow, error) {
	rows := make([]outRow, len(out))
	for i, o := range out {
		sealed, err := s.shred.Shred(o.End(), o.Content)
		if err != nil {
			return nil, fmt.Errorf("seal content: %w", err)
		}
		rows[i] = outRow{
			id: o.ID, supersedes: o.Supersedes, end: o.End(),
			held: held{to: o.To, state: delivery.Queued, weight: o.weight(), control: o.Control},
			row:  o.append(make([]byte, 0, len(sealed)+len(o.Envelope)+128), sealed),
		}
		if o.Keep && !o.Control {
			rows[i].said = o.appendSaid(sealed)
		}
	}
	return rows, nil
}

func (s *Store) takeOutbox(weight int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken.outbox+weight > s.outboxLimit {
		return fmt.Errorf("%w: too many messages wait to be sent", ErrFull)
	}
	s.taken.outbox += weight
	return nil
}

func (s *Store) giveOutbox(weight int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken.outbox -= weight
}

// OutboxRoom returns how many bytes of content and envelopes, with 512 of
// overhead for each message, the outbox still takes.
func (s *Store) OutboxRoom() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.outboxLimit-s.taken.outbox, 0)
}

func (s *Store) accept(t *tx, rows []outRow) error {
	for i := range rows {
		r := &rows[i]
		key := idKey(tableOutgoing, r.id)
		t.batch.Put(key, r.row)
		t.dies(minuteOf(r.end), key, 0)
		if r.held.control {
			t.takeNumber()
		} else {
			c := t.event(StateChanged, stateEvent(delivery.Queued, r.id)...)
			s.keepSaid(t, c, r)
		}
		if r.supersedes != (envelope.ID{}) {
			if err := s.supersede(t, r.supersedes, r.id); err != nil {
				return err
			}
		}
		t.committed(func() { s.outbox[r.id] = &held{r.held.to, r.held.state, r.held.weight, r.held.control, false} })
	}
	return nil
}

func stateEvent(state delivery.State, id envelope.ID) []byte {
	return append([]byte{byte(state)}, id[:]...)
}

// supersede lets the status of old point to its successor and drops its row.
func (s *Store) supersede(t *tx, old, successor envelope.ID) error {
	st, err := s.Status(old)
	if err != nil {
		return nil // it has ended meanwhile
	}
	st.Successor = successor
	if !st.Control {
		t.batch.Put(idKey(tableStatus, old), st.append(nil))
	}
	s.dropOutgoing(t, old)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behind.succeeded(old, successor)
	return nil
}

// dropOutgoing deletes the rows of a message that is to be sent no more. Its
// status stays.
func (s *Store) dropOutgoing(t *tx, id envelope.ID) {
	s.mu.Lock()
	h, ok := s.outbox[id]
	enveloped := ok && h.enveloped
	s.mu.Unlock()
	if !ok {
		return
	}
	t.batch.Delete(idKey(tableOutgoing, id))
	if enveloped {
		t.batch.Delete(idKey(tableEnvelope, id))
	}
	t.committed(func() { s.forget(id) })
}

// forget drops a message from memory; mu is held.
func (s *Store) forget(id envelope.ID) {
	if h, ok := s.outbox[id]; ok {
		s.taken.outbox -= h.weight
		delete(s.outbox, id)
	}
}

// SetSealed stores the envelope of a message that was accepted without one, in
// a synced commit. done is called as Accept's is; it is told ErrNotFound if the
// message is final or gone. frame is not kept after SetSealed returns.
func (s *Store) SetSealed(id envelope.ID, frame []byte, digest envelope.Digest, forwardSecret bool, done func(error)) {
	row := appendSealed(make([]byte, 0, len(frame)+48), frame, digest, forwardSecret)
	s.writes.put(write{
		sync: true,
		change: func(t *tx) error {
			if !s.holds(id) {
				return ErrNotFound
			}
			t.batch.Put(idKey(tableEnvelope, id), row)
			t.committed(func() {
				if h, ok := s.outbox[id]; ok && !h.enveloped {
					h.enveloped = true
					h.weight += int64(len(frame))
					s.taken.outbox += int64(len(frame))
				}
			})
			return nil
		},
		done: func(_ Cursor, err error) { done(err) },
	})
}

func (s *Store) holds(id envelope.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.outbox[id]
	return ok
}
