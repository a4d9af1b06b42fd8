package store

import (
	"encoding/binary"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// saidLimit bounds what is kept of our own words, bytes: a person writes less in
// a day. When it is full, messages are sent as ever and not kept.
const saidLimit = 32 << 20

// Said is a message of ours whose content was to be kept.
type Said struct {
	Cursor       Cursor // number of the event that said queued
	ID           envelope.ID
	To           protocols.Key
	Created, End time.Time
	Content      []byte // the plaintext without padding
}

func (o *Outgoing) appendSaid(sealed []byte) []byte {
	b := append(make([]byte, 0, len(sealed)+64), o.ID[:]...)
	b = append(b, o.To[:]...)
	b = appendTime(b, o.Created)
	b = binary.AppendUvarint(b, uint64(o.Lifetime/time.Millisecond))
	return append(b, sealed...)
}

// parseSaid reads a row; Content is still under its shred key and aliases row.
func parseSaid(c Cursor, row []byte) (*Said, error) {
	u, m := unpacker{b: row}, &Said{Cursor: c}
	u.fixed(m.ID[:])
	u.fixed(m.To[:])
	m.Created = u.time()
	m.End = m.Created.Add(time.Duration(u.uint()) * time.Millisecond)
	m.Content = u.b
	return m, u.err
}

// keepSaid writes the row of a message that is to be kept, if there is room.
func (s *Store) keepSaid(t *tx, c Cursor, r *outRow) {
	size := rowWeight(len(r.said))
	if r.said == nil || !s.takeSaid(size) {
		return
	}
	key := cursorKey(tableSaid, c)
	t.batch.Put(key, r.said)
	t.dies(minuteOf(r.end), key, 0)
}

// takeSaid is called by the committer alone. Room taken for a commit that fails
// is not given back: such a store takes no more writes.
func (s *Store) takeSaid(size int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken.said+size > saidLimit {
		return false
	}
	s.taken.said += size
	return true
}

func (s *Store) endSaid(t *tx, key []byte) error {
	row, ok, err := s.kv.Get(key)
	if err != nil || !ok {
		return err
	}
	size := rowWeight(len(row))
	t.committed(func() { s.taken.said -= size })
	return nil
}

func (s *Store) loadSaid() error {
	from, to := table(tableSaid)
	return s.kv.Scan(from, to, func(_, row []byte) (bool, error) {
		s.taken.said += rowWeight(len(row))
		return true, nil
	})
}

// said reads one row; ErrNotFound if it is gone.
func (s *Store) said(c Cursor) (*Said, error) {
	row, ok, err := s.kv.Get(cursorKey(tableSaid, c))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNotFound
	}
	m, err := parseSaid(c, row)
	if err != nil {
		return nil, err
	}
	if !s.now().Before(m.End) {
		return nil, ErrNotFound
	}
	m.Content, err = s.shred.Unshred(m.End, m.Content)
	return m, err
}
