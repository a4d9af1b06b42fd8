package kv

import (
	"bytes"
	"net"
	"slices"
	"sync"

	"github.com/RaduBerinde/btreemap"
)

// MemoryStore is the twin of the store on disk: the same promises, the same
// crashes and the same disk errors, without a disk.
type MemoryStore struct {
	mu     sync.Mutex
	rows   *rows   // guarded by mu; never changed in place once cloned
	synced *rows   // guarded by mu; what a crash leaves for certain
	since  []*rows // guarded by mu; the states after synced, oldest first, at most maxUnsynced
	bytes  int64   // guarded by mu
	fault  func(b *Batch, sync bool) error
	failed error // guarded by mu
	closed bool  // guarded by mu
}

type rows = btreemap.BTreeMap[string, []byte]

// maxUnsynced bounds how many states between two syncs a crash can end in.
const maxUnsynced = 64

// degree is how wide the tree of rows is: what a batch changes is copied node by node,
// for each state is kept whole.
const degree = 8

// Memory returns an empty store that lives in memory.
func Memory() *MemoryStore { return memoryOf(btreemap.New[string, []byte](degree, compareKeys)) }

func memoryOf(r *rows) *MemoryStore {
	m := &MemoryStore{rows: r, synced: r.Clone()}
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
	if unsynced = min(unsynced, len(m.since)); unsynced > 0 {
		return memoryOf(m.since[unsynced-1].Clone())
	}
	return memoryOf(m.synced.Clone())
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
	if err := b.each(m.change); err != nil {
		return err
	}
	m.remember(sync)
	return nil
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
		if _, old, ok := m.rows.ReplaceOrInsert(string(first), append([]byte{}, second...)); ok {
			m.bytes -= int64(len(first) + len(old))
		}
		m.bytes += int64(len(first) + len(second))
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
	}
}

func (m *MemoryStore) keys(from, to string) (keys []string) {
	for k := range m.rows.Ascend(btreemap.GE(from), btreemap.LT(to)) {
		keys = append(keys, k)
	}
	return keys
}

// remember keeps the states a crash could end in; mu is held.
func (m *MemoryStore) remember(sync bool) {
	if sync {
		m.synced, m.since = m.rows.Clone(), nil
		return
	}
	if len(m.since) == maxUnsynced {
		m.since = slices.Delete(m.since, 0, 1)
	}
	m.since = append(m.since, m.rows.Clone())
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
		m.remember(true)
	}
	return nil
}
