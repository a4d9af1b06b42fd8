package store

import (
	"bytes"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// maxAuthors bounds the authors whose highest id is kept in memory.
const maxAuthors = 4096

// freshness spares the disk most questions to the duplicate window: ids grow
// with time, so a new one is above all that its author has used before. Guarded
// by Store.mu.
type freshness struct {
	highest map[protocols.Key]envelope.ID // no entry of the window, in flight or stored, is above it
	admits  uint64                        // grows with every entry put in flight
}

// above says that an id is above all of its author's, as far as is known.
func (f *freshness) above(from protocols.Key, id envelope.ID) bool {
	highest, known := f.highest[from]
	return known && bytes.Compare(id[:], highest[:]) > 0
}

// admit notes that an entry is put in flight, and says whether it is certain
// that none is stored.
func (f *freshness) admit(from protocols.Key, id envelope.ID) (certain bool) {
	f.admits++
	if certain = f.above(from, id); certain {
		f.highest[from] = id
	}
	return certain
}

// learn notes that no entry of an author is above id.
func (f *freshness) learn(from protocols.Key, id envelope.ID) {
	if f.highest == nil {
		f.highest = make(map[protocols.Key]envelope.ID)
	}
	if len(f.highest) >= maxAuthors {
		for other := range f.highest {
			delete(f.highest, other)
			break
		}
	}
	f.highest[from] = id
}

// learnHighest looks whether an id is above all of an author of whom nothing is
// known in memory, and remembers it.
func (s *Store) learnHighest(from protocols.Key, id envelope.ID) error {
	s.mu.Lock()
	_, known := s.fresh.highest[from]
	admits := s.fresh.admits
	s.mu.Unlock()
	if known {
		return nil
	}
	found := false
	to := append(peerKey(tableWindow, from), bytes.Repeat([]byte{0xff}, len(id)+1)...)
	err := s.kv.Scan(windowKey(from, id), to, func(_, _ []byte) (bool, error) {
		found = true
		return false, nil
	})
	if err != nil || found {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fresh.admits == admits { // else one may have come above it meanwhile
		s.fresh.learn(from, id)
	}
	return nil
}
