package store

import "bytes"

// GroupRow is a row of a group's, whose key and value mean something to it alone. Head
// stands before Value, as one value. The type is that of groups, which have no name for
// it that is known here.
type GroupRow = struct{ Key, Head, Value []byte }

func groupKey(key []byte) []byte { return append([]byte{tableGroups}, key...) }

// groupRowOver is about how many bytes a row takes in a batch, besides its own.
const groupRowOver = 6

// ApplyGroups puts and deletes rows of groups in one synced commit, and waits
// for it.
func (s *Store) ApplyGroups(puts []GroupRow, deletes [][]byte) error {
	size := 0
	for _, r := range puts {
		size += len(r.Key) + len(r.Head) + len(r.Value) + groupRowOver
	}
	return s.wait(write{sync: true, change: func(t *tx) error {
		t.batch.Grow(size)
		key := []byte{tableGroups}
		for _, k := range deletes {
			key = append(key[:1], k...)
			t.batch.Delete(key)
		}
		for _, r := range puts {
			key = append(key[:1], r.Key...)
			t.batch.Put(key, r.Head, r.Value)
		}
		return nil
	}})
}

// GroupRow reads a row of a group's; ok is false if there is none.
func (s *Store) GroupRow(key []byte) (value []byte, ok bool, err error) {
	return s.kv.Get(groupKey(key))
}

// ScanGroups calls fn with the rows of groups whose keys begin with prefix, in
// their order. What fn gets is its own.
func (s *Store) ScanGroups(prefix []byte, fn func(key, value []byte) error) error {
	from := groupKey(prefix)
	to := append(bytes.Clone(from), bytes.Repeat([]byte{0xff}, 64)...)
	return s.kv.Scan(from, to, func(key, value []byte) (bool, error) {
		return true, fn(bytes.Clone(key[1:]), bytes.Clone(value))
	})
}
