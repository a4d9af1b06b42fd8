package store

import (
	"bytes"
	"time"
)

// SaveReceipt writes a signed receipt behind and returns its name, for
// Status.Receipt. It is on disk no later than any status saved afterwards, and
// is kept until end is over, the latest end of the messages it speaks of. raw
// is copied.
func (s *Store) SaveReceipt(raw []byte, end time.Time) ReceiptRef {
	s.mu.Lock()
	s.behind.receipt++
	ref := s.behind.receipt
	s.behind.putRow(numberKey(tableReceipts, uint64(ref)), bytes.Clone(raw), minuteOf(end))
	s.mu.Unlock()
	s.flushSoon()
	return ref
}

// Receipt returns a signed receipt, or ErrNotFound.
func (s *Store) Receipt(ref ReceiptRef) ([]byte, error) {
	raw, ok, err := s.rowOf(numberKey(tableReceipts, uint64(ref)))
	if err == nil && !ok {
		err = ErrNotFound
	}
	return raw, err
}

// rowOf reads a row that may still be behind. The result must not be changed.
func (s *Store) rowOf(key []byte) (value []byte, ok bool, err error) {
	s.mu.Lock()
	value, ok = s.behind.row(key)
	s.mu.Unlock()
	if ok {
		return value, value != nil, nil
	}
	return s.kv.Get(key)
}
