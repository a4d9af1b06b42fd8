package store

import (
	"fmt"

	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Load returns a message of the outbox with content and envelope. The error is
// ErrNotFound once the message is final or superseded, or its end has come.
func (s *Store) Load(id envelope.ID) (*Outgoing, error) {
	row, ok, err := s.kv.Get(idKey(tableOutgoing, id))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNotFound
	}
	o, err := parseOutgoing(id, row)
	if err != nil {
		return nil, err
	}
	if !s.now().Before(o.End()) {
		return nil, ErrNotFound
	}
	if o.Content, err = s.shred.Unshred(o.End(), o.Content); err != nil {
		return nil, fmt.Errorf("open content: %w", err)
	}
	return o, s.loadEnvelope(o)
}

func (s *Store) loadEnvelope(o *Outgoing) error {
	row, ok, err := s.kv.Get(idKey(tableEnvelope, o.ID))
	if err != nil || !ok {
		return err
	}
	return o.seal(row)
}

// Pending calls fn for every message of the outbox, the oldest first: those
// that are not final, with how they stand. size is the length of the envelope,
// 0 if not yet sealed; Content and Envelope are nil. It is meant for the start.
func (s *Store) Pending(fn func(o *Outgoing, st *Status, size int) error) error {
	from, to := table(tableOutgoing)
	return s.kv.Scan(from, to, func(key, row []byte) (bool, error) {
		o, err := parseOutgoing(envelope.ID(key[1:]), row)
		if err != nil {
			return false, err
		}
		if err := s.loadEnvelope(o); err != nil {
			return false, err
		}
		size := len(o.Envelope)
		o.Content, o.Envelope = nil, nil
		if o.Holders, err = s.keptHolders(o.Digest); err != nil {
			return false, err
		}
		st, err := s.Status(o.ID)
		if err != nil {
			return false, err
		}
		return true, fn(o, st, size)
	})
}

// loadOutbox fills the memory of the outbox.
func (s *Store) loadOutbox() error {
	from, to := table(tableOutgoing)
	err := s.kv.Scan(from, to, func(key, row []byte) (bool, error) {
		o, err := parseOutgoing(envelope.ID(key[1:]), row)
		if err != nil {
			return false, err
		}
		h := &held{to: o.To, state: delivery.Queued, weight: o.weight(), control: o.Control}
		s.outbox[o.ID] = h
		st, ok, err := s.savedStatus(o.ID)
		if ok {
			h.state = st.State
		}
		return true, err
	})
	if err != nil {
		return err
	}
	from, to = table(tableEnvelope)
	err = s.kv.Scan(from, to, func(key, row []byte) (bool, error) {
		if h, ok := s.outbox[envelope.ID(key[1:])]; ok {
			h.enveloped = true
			h.weight += int64(len(row))
		}
		return true, nil
	})
	for _, h := range s.outbox {
		s.taken.outbox += h.weight
	}
	return err
}
