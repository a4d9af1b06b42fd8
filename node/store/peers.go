package store

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// prekeysLife is how long a peer's prekey record is of use after it was saved.
const prekeysLife = 9 * 24 * time.Hour

// SavePrekeys writes a peer's newest prekey record behind, in place of the one
// before. Records are kept nine days; of more than 4 096 strangers' and old ones
// go first: a crowd must not cost friends their forward secrecy.
func (s *Store) SavePrekeys(p protocols.Key, record []byte) {
	s.prekeys.put(p, s.now(), record)
}

// Prekeys returns the prekey record of a peer; the caller must not change it.
func (s *Store) Prekeys(p protocols.Key) (record []byte, ok bool) {
	_, record, ok, err := s.prekeys.get(p)
	return record, ok && err == nil
}

// SaveAdmission writes an admission that a peer gave behind, in place of the
// one before, to be kept until the given time; of more than 4 096 those that
// end first go first.
func (s *Store) SaveAdmission(p protocols.Key, admission []byte, until time.Time) {
	s.admissions.put(p, until, admission)
}

// Admission returns the admission of a peer that has not ended; the caller must
// not change it.
func (s *Store) Admission(p protocols.Key) (admission []byte, ok bool) {
	until, admission, ok, err := s.admissions.get(p)
	return admission, ok && err == nil && s.now().Before(until)
}

// expirePeers drops what is of no use any more from the tables about peers.
func (s *Store) expirePeers(now time.Time) {
	s.prekeys.expire(now.Add(-prekeysLife))
	s.admissions.expire(now)
}

// WrittenTo says that this node has accepted a message, other than control, for
// a peer. The newest 16 384 or so are known.
func (s *Store) WrittenTo(p protocols.Key) bool { return s.written.has(p) }

// writeTo makes the recipients of messages correspondents, with the newest
// sequence numbers given for them.
func (s *Store) writeTo(out []*Outgoing) error {
	for i, o := range out {
		if o.Control || i > 0 && out[i-1].To == o.To {
			continue
		}
		known := s.written.has(o.To)
		s.numbers.mu.Lock()
		number, err := s.lastNumber(o.To)
		s.numbers.mu.Unlock()
		if err != nil {
			return err
		}
		s.written.put(o.To, s.now(), binary.AppendUvarint(nil, number))
		if !known {
			s.noStranger(o.To)
		}
	}
	return nil
}

// maxNumbers bounds the sequence numbers kept in memory.
const maxNumbers = 4096

// numbers are the newest sequence numbers given, by recipient.
type numbers struct {
	mu   sync.Mutex
	last map[protocols.Key]uint64
}

// NextNumber returns the sequence number of the next message to a recipient,
// counted from 1. It reaches the disk with the next message accepted for that
// recipient that is not control; numbers of control messages may come twice.
func (s *Store) NextNumber(to protocols.Key) (uint64, error) {
	s.numbers.mu.Lock()
	defer s.numbers.mu.Unlock()
	last, err := s.lastNumber(to)
	if err != nil {
		return 0, err
	}
	n := &s.numbers
	if n.last == nil || len(n.last) >= maxNumbers {
		n.last = make(map[protocols.Key]uint64)
	}
	n.last[to] = last + 1
	return last + 1, nil
}

func (s *Store) lastNumber(to protocols.Key) (uint64, error) {
	if last, ok := s.numbers.last[to]; ok {
		return last, nil
	}
	_, row, ok, err := s.written.get(to)
	if err != nil || !ok {
		return 0, err
	}
	u := unpacker{b: row}
	return u.uint(), u.err
}
