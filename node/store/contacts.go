package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tom-protocol/tom/protocols"
)

// maxContacts bounds the rows about contacts and muted peers.
const maxContacts = 4096

// ErrNameTaken means that another contact has the petname.
var ErrNameTaken = errors.New("another contact has this name")

func (s *Store) loadContacts() error {
	from, to := table(tableContacts)
	return s.kv.Scan(from, to, func(key, row []byte) (bool, error) {
		k := protocols.Key(key[1:])
		c, err := parseContact(k, row)
		s.contacts[k] = c
		return true, err
	})
}

// SaveContact adds a contact or replaces what was known of it, synced, with an
// event. A petname belongs to one contact: ErrNameTaken. There are at most
// 4 096: ErrFull. One that is neither named nor muted is removed.
func (s *Store) SaveContact(c Contact) error {
	if c.Name == "" && !c.Muted {
		return s.RemoveContact(c.Key)
	}
	c = c.clone()
	was := s.Stranger(c.Key)
	err := s.wait(write{sync: true, alone: true, change: func(t *tx) error {
		if err := s.checkContact(&c); err != nil {
			return err
		}
		t.batch.Put(peerKey(tableContacts, c.Key), c.append(nil))
		t.event(ContactChanged, c.Key[:]...)
		t.committed(func() { s.contacts[c.Key] = c })
		return nil
	}})
	if err == nil && was {
		s.noStranger(c.Key)
	}
	return err
}

func (s *Store) checkContact(c *Contact) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.contacts[c.Key]; !ok && len(s.contacts) >= maxContacts {
		return fmt.Errorf("%w: remove a contact first", ErrFull)
	}
	for k, other := range s.contacts {
		if k != c.Key && c.Name != "" && other.Name == c.Name {
			return ErrNameTaken
		}
	}
	return nil
}

// RemoveContact forgets a contact, synced, with an event; ErrNotFound if there
// is none.
func (s *Store) RemoveContact(k protocols.Key) error {
	return s.wait(write{sync: true, alone: true, change: func(t *tx) error {
		if _, ok := s.Contact(k); !ok {
			return ErrNotFound
		}
		t.batch.Delete(peerKey(tableContacts, k))
		t.event(ContactChanged, k[:]...)
		t.committed(func() { delete(s.contacts, k) })
		return nil
	}})
}

// Contact returns what the user has said about a peer.
func (s *Store) Contact(k protocols.Key) (Contact, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.contacts[k]
	return c.clone(), ok
}

// Contacts returns all contacts and muted peers, by petname.
func (s *Store) Contacts() []Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Contact, 0, len(s.contacts))
	for _, c := range s.contacts {
		all = append(all, c.clone())
	}
	slices.SortFunc(all, func(a, b Contact) int {
		if n := strings.Compare(a.Name, b.Name); n != 0 {
			return n
		}
		return slices.Compare(a.Key[:], b.Key[:])
	})
	return all
}

// Stranger says that a peer is neither a contact nor somebody this node has
// written to.
func (s *Store) Stranger(k protocols.Key) bool {
	c, _ := s.Contact(k)
	return c.Name == "" && !s.WrittenTo(k)
}

// Muted says that the user has muted a peer.
func (s *Store) Muted(k protocols.Key) bool {
	c, _ := s.Contact(k)
	return c.Muted
}

// noStranger frees the strangers' half of the inbox from what a peer takes of
// it, which is no stranger any more.
func (s *Store) noStranger(k protocols.Key) {
	s.writes.put(write{change: func(t *tx) error {
		sum, err := t.strangerSum(k)
		if err != nil || sum == 0 {
			return err
		}
		return t.addStranger(k, -sum)
	}})
}
