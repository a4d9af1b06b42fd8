package store

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Kept is a copy that this node keeps for its recipient, or what stays of one
// that has ended before its time.
type Kept struct {
	backup.Item
	Stored    time.Time
	Admission []byte // of its author by its recipient; nil if it came without
	Receipt   []byte // of its recipient, which ended it; nil: the copy is here
}

// Keep stores a copy, its bytes under their shred key, in one synced commit, and
// then calls done, on the committer's goroutine, where it must not block nor
// wait for another write. It does not block itself; how much may be on its way
// is for the caller to bound.
func (s *Store) Keep(k *Kept, encoded []byte, done func(error)) {
	sealed, err := s.shred.Shred(k.End, encoded)
	if err != nil {
		done(fmt.Errorf("seal copy: %w", err))
		return
	}
	key, row := digestKey(tableKept, k.Digest), k.append(nil, sealed)
	s.keepHolders(k.Digest, k.End, k.Holders)
	s.writes.put(write{
		sync: true,
		change: func(t *tx) error {
			t.batch.Put(key, row)
			t.dies(minuteOf(k.End), key, 0)
			return nil
		},
		done: func(_ Cursor, err error) { done(err) },
	})
}

// KeptBytes reads the bytes of a copy. The error is ErrNotFound if it is not
// here, or has ended.
func (s *Store) KeptBytes(d envelope.Digest) ([]byte, error) {
	k, sealed, err := s.keptRow(d)
	if err != nil {
		return nil, err
	}
	if !s.now().Before(k.End) {
		return nil, ErrNotFound
	}
	b, err := s.shred.Unshred(k.End, sealed)
	if err != nil {
		return nil, fmt.Errorf("open copy: %w", err)
	}
	return b, nil
}

// KeptAdmission returns the admission that came with a copy, nil for none.
func (s *Store) KeptAdmission(d envelope.Digest) ([]byte, error) {
	k, _, err := s.keptRow(d)
	if err != nil {
		return nil, err
	}
	return k.Admission, nil
}

func (s *Store) keptRow(d envelope.Digest) (k *Kept, sealed []byte, err error) {
	key := digestKey(tableKept, d)
	row, ok, err := s.kv.Get(key)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		return nil, nil, ErrNotFound
	}
	return parseKept(key, row)
}

// KeepHolders writes behind who else holds a copy, or who holds a message of this
// node.
func (s *Store) KeepHolders(d envelope.Digest, end time.Time, holders []protocols.Key) {
	s.keepHolders(d, end, holders)
	s.flushSoon()
}

func (s *Store) keepHolders(d envelope.Digest, end time.Time, holders []protocols.Key) {
	row := make([]byte, 0, len(holders)*protocols.KeySize)
	for _, h := range holders {
		row = append(row, h[:]...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behind.putRow(digestKey(tableHolders, d), row, minuteOf(end))
}

// Purge deletes a copy, after every Keep that was called before. With a receipt,
// that and the names of the copy stay until its end, so that it never comes
// back. done is as Keep's; it may be nil.
func (s *Store) Purge(d envelope.Digest, receipt []byte, done func(error)) {
	key, ended := digestKey(tableKept, d), digestKey(tableEnded, d)
	s.writes.put(write{
		sync:  receipt != nil,
		alone: true, // it reads what a Keep just before may have written
		change: func(t *tx) error {
			row, ok, err := s.kv.Get(key)
			if err != nil || !ok {
				return err
			}
			t.batch.Delete(key)
			if receipt == nil {
				return nil
			}
			k, _, err := parseKept(key, row)
			if err != nil {
				return nil // it is damaged: nothing of it is worth keeping
			}
			k.Receipt = receipt
			t.batch.Put(ended, k.append(nil, nil))
			t.dies(minuteOf(k.End), ended, 0)
			return nil
		},
		done: func(_ Cursor, err error) {
			if done != nil {
				done(err)
			}
		},
	})
}

// EachKept calls fn for every copy that has not ended, and for what stays of
// those that have. A row that is damaged is passed over and deleted.
func (s *Store) EachKept(fn func(*Kept)) error {
	now := s.now()
	var damaged kv.Batch
	for _, name := range []byte{tableKept, tableEnded} {
		from, to := table(name)
		err := s.kv.Scan(from, to, func(key, row []byte) (bool, error) {
			k, _, err := parseKept(key, row)
			if err != nil {
				damaged.Delete(key)
				return true, nil
			}
			if !now.Before(k.End) {
				return true, nil
			}
			k.Holders, err = s.keptHolders(k.Digest)
			fn(k)
			return true, err
		})
		if err != nil {
			return err
		}
	}
	if damaged.Len() == 0 {
		return nil
	}
	return s.wait(write{change: func(t *tx) error { t.batch.Append(&damaged); return nil }})
}

func (s *Store) keptHolders(d envelope.Digest) (holders []protocols.Key, err error) {
	row, _, err := s.rowOf(digestKey(tableHolders, d))
	for ; len(row) >= protocols.KeySize; row = row[protocols.KeySize:] {
		holders = append(holders, protocols.Key(row))
	}
	return holders, err
}

func digestKey(table byte, d envelope.Digest) []byte { return append([]byte{table}, d[:]...) }

const flagAdmitted = 1

// append packs the row; sealed are the bytes under their shred key.
func (k *Kept) append(b, sealed []byte) []byte {
	b = append(b, flag(k.Admitted, flagAdmitted))
	b = append(b, k.ID[:]...)
	b = append(b, k.From[:]...)
	b = append(b, k.To[:]...)
	b = append(b, k.Asker[:]...)
	b = appendTime(b, k.Stored)
	b = appendTime(b, k.End)
	b = binary.AppendUvarint(b, uint64(k.Size))
	b = appendBytes(b, k.Admission)
	b = appendBytes(b, k.Receipt)
	return append(b, sealed...)
}

func parseKept(key, row []byte) (k *Kept, sealed []byte, err error) {
	k = &Kept{}
	if copy(k.Digest[:], key[1:]) != len(k.Digest) {
		return nil, nil, fmt.Errorf("%w: the key of a copy is cut short", kv.ErrCorrupt)
	}
	u := unpacker{b: append([]byte(nil), row...)}
	k.Admitted = u.byte()&flagAdmitted != 0
	u.fixed(k.ID[:])
	u.fixed(k.From[:])
	u.fixed(k.To[:])
	u.fixed(k.Asker[:])
	k.Stored, k.End = u.time(), u.time()
	k.Size = int(u.uint())
	k.Admission, k.Receipt = u.bytes(), u.bytes()
	return k, u.b, u.err
}
