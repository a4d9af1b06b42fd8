package kv

import (
	"bytes"
	"maps"
	"net"
	"slices"
	"sync"

	"github.com/RaduBerinde/btreemap"
)

// MemoryStore is the twin of the store on disk: the same promises, the same
// crashes and the same disk errors, without a disk.
type MemoryStore struct {
	mu     sync.Mutex
	rows   *rows  // guarded by mu
	since  []undo // guarded by mu; of what a crash may lose, oldest first, at most maxUnsynced
	bytes  int64  // guarded by mu
	fault  func(b *Batch, sync bool) error
	failed error // guarded by mu
	closed bool  // guarded by mu
}

type rows = btreemap.BTreeMap[string, []byte]

// undo takes back a batch that is not synced: what was under each key it changed, nil
// for nothing.
type undo map[string][]byte

// maxUnsynced bounds how many states between two syncs a crash can end in.
const maxUnsynced = 64

// degree is how wide the tree of rows is.
const degree = 8

// Memory returns an empty store that lives in memory.
func Memory() *MemoryStore { return memoryOf(btreemap.New[string, []byte](degree, compareKeys)) }

func memoryOf(r *rows) *MemoryStore {
	m := &MemoryStore{rows: r}
	for k, v := range r.Ascend(btreemap.Min[string](), btreemap.Max[string]()) {
		m.bytes += int64(len(k) + len(v))
	}
	return m
}

func compareKeys(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// SetFault makes every later Apply ask f first. An error of f that matches
// ErrFailed ends the store as a failed write to a disk does; any other one
// refuses that batch alone. A nil f ends it.
func (m *MemoryStore) SetFault(f func(b *Batch, sync bool) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = f
}

// Crash returns the store as a power failure now would leave it: everything
// synced, and the first unsynced of the batches applied since. m goes on as a
// store of its own.
func (m *MemoryStore) Crash(unsynced int) *MemoryStore {
	m.mu.Lock()
	defer m.mu.Unlock()
	left := m.rows.Clone()
	for _, u := range slices.Backward(m.since[min(unsynced, len(m.since)):]) {
		for k, v := range u {
			if v == nil {
				left.Delete(k)
			} else {
				left.ReplaceOrInsert(k, v)
			}
		}
	}
	return memoryOf(left)
}

// Get implements Store.
func (m *MemoryStore) Get(key []byte) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, false, net.ErrClosed
	}
	_, v, ok := m.rows.Get(string(key))
	return bytes.Clone(v), ok, nil
}

// Scan implements Store.
func (m *MemoryStore) Scan(from, to []byte, fn func(k, v []byte) (bool, error)) error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return net.ErrClosed
	}
	snapshot := m.rows.Clone()
	m.mu.Unlock()
	upper := btreemap.Max[string]()
	if len(to) > 0 {
		upper = btreemap.LT(string(to))
	}
	for k, v := range snapshot.Ascend(btreemap.GE(string(from)), upper) {
		if more, err := fn([]byte(k), bytes.Clone(v)); err != nil || !more {
			return err
		}
	}
	return nil
}

// Apply implements Store.
func (m *MemoryStore) Apply(b *Batch, sync bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ready(b, sync); err != nil {
		return err
	}
	m.begin(sync)
	return b.each(m.change)
}

// ready says whether a batch may be applied; mu is held.
func (m *MemoryStore) ready(b *Batch, sync bool) error {
	if m.closed {
		return net.ErrClosed
	}
	if m.failed == nil && m.fault != nil {
		err := m.fault(b, sync)
		if !isFailed(err) {
			return err
		}
		m.failed = err
	}
	return m.failed
}

func (m *MemoryStore) change(o op, first, second []byte) error {
	switch o {
	case opPut:
		key := string(first)
		_, old, ok := m.rows.ReplaceOrInsert(key, append([]byte{}, second...))
		if ok {
			m.bytes -= int64(len(first) + len(old))
		}
		m.bytes += int64(len(first) + len(second))
		m.remember(key, old)
	case opDelete:
		m.remove(string(first))
	case opDeleteRange:
		for _, k := range m.keys(string(first), string(second)) {
			m.remove(k)
		}
	}
	return nil
}

func (m *MemoryStore) remove(key string) {
	if _, v, ok := m.rows.Delete(key); ok {
		m.bytes -= int64(len(key) + len(v))
		m.remember(key, v)
	}
}

func (m *MemoryStore) keys(from, to string) (keys []string) {
	for k := range m.rows.Ascend(btreemap.GE(from), btreemap.LT(to)) {
		keys = append(keys, k)
	}
	return keys
}

// begin begins a batch: with sync a crash loses nothing from here on; mu is held.
func (m *MemoryStore) begin(sync bool) {
	if sync {
		m.since = nil
		return
	}
	if len(m.since) == maxUnsynced { // the two oldest become one
		maps.Copy(m.since[1], m.since[0])
		m.since = slices.Delete(m.since, 0, 1)
	}
	m.since = append(m.since, make(undo))
}

// remember notes what the batch found under a key, if a crash may lose it; mu is held.
func (m *MemoryStore) remember(key string, old []byte) {
	if len(m.since) == 0 {
		return
	}
	u := m.since[len(m.since)-1]
	if _, known := u[key]; !known {
		u[key] = old
	}
}

// Size implements Store.
func (m *MemoryStore) Size() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

// Close implements Store. What was applied survives in what Crash returns.
func (m *MemoryStore) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return net.ErrClosed
	}
	m.closed = true
	if m.failed == nil {
		m.begin(true)
	}
	return nil
}
