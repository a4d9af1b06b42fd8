package store

// SetMeta stores a small setting under a name, synced; a nil value removes it.
// Names in use: see the callers. Names of the store itself begin with a dot.
func (s *Store) SetMeta(name string, value []byte) error {
	return s.wait(write{sync: true, change: func(t *tx) error {
		if value == nil {
			t.batch.Delete(metaKey(name))
		} else {
			t.batch.Put(metaKey(name), value)
		}
		return nil
	}})
}

// Meta returns a setting; ok is false if it was never set.
func (s *Store) Meta(name string) (value []byte, ok bool, err error) {
	return s.kv.Get(metaKey(name))
}
