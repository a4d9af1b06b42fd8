package store

import (
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// SaveStatus writes statuses behind: it returns at once, Status answers with
// them from now on, and they reach the disk, unsynced, as soon as the committer
// is free; what is saved meanwhile is merged by message. Every new State of a
// message that is not control becomes an event when it is committed. Delivered,
// read, expired and failed messages leave the outbox. A status whose message
// was never accepted or is gone for good is dropped. The slices within are
// kept and must not be changed.
func (s *Store) SaveStatus(all []Status) {
	s.mu.Lock()
	for i := range all {
		s.behind.collecting.merge(&all[i], []delivery.State{all[i].State})
	}
	s.mu.Unlock()
	s.flushSoon()
}

// Status returns how an outgoing message stands. The error is ErrNotFound if it
// was never accepted or is gone: a delivered message's status ends with its
// lifetime, that of an expired or failed one AfterEnd later.
func (s *Store) Status(id envelope.ID) (*Status, error) {
	if st, ok := s.unsavedStatus(id); ok {
		return st, nil
	}
	if st, ok, err := s.savedStatus(id); ok || err != nil {
		return st, err
	}
	row, ok, err := s.kv.Get(idKey(tableOutgoing, id))
	if err != nil {
		return nil, err
	}
	if !ok {
		// It may have become final between the two looks.
		if st, ok, err := s.savedStatus(id); ok || err != nil {
			return st, err
		}
		return nil, ErrNotFound
	}
	o, err := parseOutgoing(id, row)
	if err == nil {
		err = s.loadEnvelope(o)
	}
	if err != nil {
		return nil, err
	}
	return queued(o), nil
}

// unsavedStatus finds a status that is not yet on disk. Those of messages that
// are gone are not shown.
func (s *Store) unsavedStatus(id envelope.ID) (*Status, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.behind.state(id)
	if !ok {
		return nil, false
	}
	st := c.status
	return &st, true
}

func (s *Store) savedStatus(id envelope.ID) (st *Status, ok bool, err error) {
	row, ok, err := s.kv.Get(idKey(tableStatus, id))
	if err != nil || !ok {
		return nil, false, err
	}
	st, err = parseStatus(id, row)
	return st, err == nil, err
}

// flushState adds one status to a transaction.
func (s *Store) flushState(t *tx, c *stateChange) error {
	st := c.status
	s.mu.Lock()
	h, open := s.outbox[st.ID]
	before, control := delivery.State(0), st.Control
	if open {
		before, control = h.state, h.control
	}
	s.mu.Unlock()
	if !open {
		old, ok, err := s.savedStatus(st.ID)
		if err != nil || !ok {
			return err
		}
		before = old.State
		if st.Successor == (envelope.ID{}) {
			st.Successor = old.Successor
		}
	}
	if !control {
		t.batch.Put(idKey(tableStatus, st.ID), st.append(nil))
		s.stateEvents(t, st.ID, before, c.through)
	}
	switch {
	case st.State.Final():
		s.dropOutgoing(t, st.ID)
	case open:
		t.committed(func() { h.state = st.State })
	}
	return nil
}

func (s *Store) stateEvents(t *tx, id envelope.ID, before delivery.State, through []delivery.State) {
	for _, state := range through {
		if state != before {
			t.event(StateChanged, stateEvent(state, id)...)
		}
		before = state
	}
}
