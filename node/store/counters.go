package store

import "encoding/binary"

// numbersAhead is how many event numbers a synced commit sets apart for commits
// that are not synced: after a crash the count goes on behind them, so that no
// number is ever given twice.
const numbersAhead = 4096

// counters are written with every commit.
type counters struct {
	next     Cursor // the next event number
	reserved Cursor // numbers from here on are not used before a sync
	floor    Cursor // the first number whose event is still kept
	receipts uint64 // the newest receipt reference
	serial   uint64 // of the newest row of ends

	inbox     int64 // bytes of the inbox, window included
	strangers int64 // bytes of them that strangers take
	unread    int64 // inbox rows that are neither read nor muted on receipt
}

func (c *counters) append(b []byte) []byte {
	for _, v := range []uint64{
		uint64(c.next), uint64(c.reserved), uint64(c.floor), c.receipts, c.serial,
		uint64(max(c.inbox, 0)), uint64(max(c.strangers, 0)), uint64(max(c.unread, 0)),
	} {
		b = binary.AppendUvarint(b, v)
	}
	return b
}

func (s *Store) loadCounters() error {
	s.counters = counters{next: 1, reserved: 1, floor: 1}
	row, ok, err := s.kv.Get([]byte{tableCounters})
	if err != nil {
		return err
	}
	if ok {
		u := unpacker{b: row}
		c := &s.counters
		c.next, c.reserved, c.floor = Cursor(u.uint()), Cursor(u.uint()), Cursor(u.uint())
		c.receipts, c.serial = u.uint(), u.uint()
		c.inbox, c.strangers, c.unread = int64(u.uint()), int64(u.uint()), int64(u.uint())
		if u.err != nil {
			return u.err
		}
		c.next = max(c.next, c.reserved)
		s.behind.receipt = ReceiptRef(c.receipts)
	}
	s.taken.inbox, s.taken.strangers = s.counters.inbox, s.counters.strangers
	return nil
}

// Unread returns how many received messages are neither read, nor ended, nor
// came from a muted peer; strangers' are among them.
func (s *Store) Unread() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.counters.unread)
}

// Cursors returns the number before the oldest event still kept, and the newest
// number given.
func (s *Store) Cursors() (oldest, newest Cursor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counters.floor - 1, s.counters.next - 1
}
