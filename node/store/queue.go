package store

import (
	"net"
	"sync"
)

// write is a change in the committer's queue.
type write struct {
	// change adds the rows to the transaction. It runs on the committer's
	// goroutine; what it reads of the rows is as of the transaction before,
	// unless the write is alone.
	change func(t *tx) error
	// done is told, on the committer's goroutine, that the transaction is
	// committed, or why not; first is the first event number that change took.
	done  func(first Cursor, err error)
	sync  bool // done only when it would survive a power failure
	alone bool // a transaction of its own
}

// writeQueue hands writes to the committer. Its length is bounded by the room
// that each kind of write reserves before it is put here.
type writeQueue struct {
	mu     sync.Mutex
	ready  sync.Cond
	queue  []write
	closed bool
}

func (q *writeQueue) init() { q.ready.L = &q.mu }

// put queues w. When the store is closed it says so to w.done at once.
func (q *writeQueue) put(w write) {
	q.mu.Lock()
	closed := q.closed
	if !closed {
		q.queue = append(q.queue, w)
		q.ready.Signal()
	}
	q.mu.Unlock()
	if closed && w.done != nil {
		w.done(0, net.ErrClosed)
	}
}

// take waits for writes and returns all; open is false when the queue is closed
// and empty.
func (q *writeQueue) take(spare []write) (all []write, open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.queue) == 0 && !q.closed {
		q.ready.Wait()
	}
	all, q.queue = q.queue, spare[:0]
	return all, len(all) > 0
}

func (q *writeQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.ready.Broadcast()
}

// wait queues a synced write and waits for it.
func (s *Store) wait(w write) error {
	result := make(chan error, 1)
	w.done = func(_ Cursor, err error) { result <- err }
	s.writes.put(w)
	return <-result
}
