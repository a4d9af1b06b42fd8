package store

import (
	"encoding/binary"

	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols"
)

// tx collects the rows of one commit. The committer owns it.
type tx struct {
	s        *Store
	batch    kv.Batch
	sync     bool
	counters counters // as they will be
	first    Cursor   // the first number of this transaction
	events   []byte   // packed, one for each number since first
	visible  bool     // at least one of them is no hole
	ends     map[minute][]byte
	sums     map[protocols.Key]int64 // bytes of strangers, as they will be
	after    []func()                // what to do in memory once the commit is there, under Store.mu
}

func (s *Store) newTx() *tx {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spare.Reset()
	return &tx{
		s: s, batch: s.spare, counters: s.counters, first: s.counters.next,
		ends: make(map[minute][]byte), sums: make(map[protocols.Key]int64),
	}
}

// maxSpare is how much memory of a transaction is kept for the next one.
const maxSpare = 4 << 20

// recycle gives the memory of a transaction to the next one.
func (t *tx) recycle() {
	t.s.spare = kv.Batch{}
	if t.batch.Bytes() <= maxSpare {
		t.s.spare = t.batch
	}
}

// committed has fn called under Store.mu when the rows are there.
func (t *tx) committed(fn func()) { t.after = append(t.after, fn) }

// dies has the row under key deleted when minute m is over.
func (t *tx) dies(m minute, key []byte, flags byte) {
	b := append(t.ends[m], flags)
	t.ends[m] = appendBytes(b, key)
}

// takeNumber takes an event number without an event.
func (t *tx) takeNumber() Cursor {
	t.events = append(t.events, byte(hole))
	return t.nextNumber()
}

func (t *tx) nextNumber() Cursor {
	c := t.counters.next
	t.counters.next++
	return c
}

// addStranger adds n bytes, or takes them back, to what a stranger takes in the
// inbox. What is taken back is free once the transaction is committed.
func (t *tx) addStranger(k protocols.Key, n int64) error {
	sum, err := t.strangerSum(k)
	if err != nil {
		return err
	}
	n = max(n, -sum) // it may have ceased to be a stranger meanwhile
	t.sums[k] = sum + n
	t.counters.strangers += n
	if n < 0 {
		t.committed(func() { t.s.taken.strangers += n })
	}
	return nil
}

func (t *tx) strangerSum(k protocols.Key) (int64, error) {
	if sum, ok := t.sums[k]; ok {
		return sum, nil
	}
	row, ok, err := t.s.kv.Get(peerKey(tableStranger, k))
	if err != nil || !ok {
		return 0, err
	}
	u := unpacker{b: row}
	return int64(u.uint()), u.err
}

// freeInbox takes n bytes back from the inbox.
func (t *tx) freeInbox(n int64) {
	t.counters.inbox -= n
	t.committed(func() { t.s.taken.inbox -= n })
}

// finish adds the rows that belong to the transaction as a whole.
func (t *tx) finish() {
	t.finishEvents()
	for m, keys := range t.ends {
		t.counters.serial++
		t.batch.Put(endsKey(m, t.counters.serial), keys)
	}
	for k, sum := range t.sums {
		if key := peerKey(tableStranger, k); sum > 0 {
			t.batch.Put(key, binary.AppendUvarint(nil, uint64(sum)))
		} else {
			t.batch.Delete(key)
		}
	}
	if t.counters.next > t.counters.reserved {
		t.sync = true
	}
	if t.sync {
		t.counters.reserved = t.counters.next + numbersAhead
	}
	if t.batch.Len() > 0 || t.counters.next != t.first {
		t.batch.Put([]byte{tableCounters}, t.counters.append(nil))
	}
}

func (t *tx) finishEvents() {
	if !t.visible {
		return
	}
	now := t.s.now()
	key := cursorKey(tableEvents, t.counters.next-1)
	row := appendTime(nil, now)
	row = binary.AppendUvarint(row, uint64(t.first))
	t.batch.Put(key, append(row, t.events...))
	t.dies(minuteOf(now.Add(EventLife)), key, 0)
}
