package store

import (
	"github.com/tom-protocol/tom/protocols/delivery"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// behind is what callers do not wait for. It is merged in collecting until the
// committer comes by, which moves it to saving while it is on its way to the
// disk; after a failed commit it stays there and goes with the next. Both are
// bounded by what they speak of: messages, receipts, peers in the tables.
// Guarded by Store.mu, except that saving is only changed by the committer.
type behind struct {
	queued     bool // a write that flushes is in the queue
	collecting pages
	saving     pages
	receipt    ReceiptRef // the newest given
}

// pages are rows to be written.
type pages struct {
	states map[envelope.ID]*stateChange
	rows   map[string]page
}

// stateChange is a status and the states it went through since the last commit.
type stateChange struct {
	status  Status
	through []delivery.State
}

// page is a row of any other table.
type page struct {
	value []byte // nil: delete it
	end   minute // when it is to be deleted; zero: never
}

func (b *behind) putRow(key, value []byte, end minute) {
	if b.collecting.rows == nil {
		b.collecting.rows = make(map[string]page)
	}
	b.collecting.rows[string(key)] = page{value, end}
}

// row finds a row that is not yet committed; ok says that there is one, a nil
// value that it will be deleted.
func (b *behind) row(key []byte) (value []byte, ok bool) {
	p, ok := b.collecting.rows[string(key)]
	if !ok {
		p, ok = b.saving.rows[string(key)]
	}
	return p.value, ok
}

func (b *behind) state(id envelope.ID) (*stateChange, bool) {
	c, ok := b.collecting.states[id]
	if !ok {
		c, ok = b.saving.states[id]
	}
	return c, ok
}

// succeeded notes a successor in what is not yet committed.
func (b *behind) succeeded(old, successor envelope.ID) {
	for _, p := range []*pages{&b.collecting, &b.saving} {
		if c, ok := p.states[old]; ok {
			c.status.Successor = successor
		}
	}
}

// turn moves what was collected to saving.
func (b *behind) turn() *pages {
	b.queued = false
	if b.saving.states == nil && b.saving.rows == nil {
		b.saving, b.collecting = b.collecting, pages{}
		return &b.saving
	}
	for _, c := range b.collecting.states {
		b.saving.merge(&c.status, c.through)
	}
	for key, p := range b.collecting.rows {
		if b.saving.rows == nil {
			b.saving.rows = make(map[string]page)
		}
		b.saving.rows[key] = p
	}
	b.collecting = pages{}
	return &b.saving
}

// merge takes in a status and the states that led to it.
func (p *pages) merge(st *Status, through []delivery.State) {
	if p.states == nil {
		p.states = make(map[envelope.ID]*stateChange)
	}
	c := p.states[st.ID]
	if c == nil {
		c = &stateChange{}
		p.states[st.ID] = c
	}
	successor := c.status.Successor
	c.status = *st
	if st.Successor == (envelope.ID{}) {
		c.status.Successor = successor
	}
	for _, state := range through {
		if n := len(c.through); n == 0 || c.through[n-1] != state {
			c.through = append(c.through, state)
		}
	}
}

// flushSoon queues a write of what is behind, unless one is queued already.
func (s *Store) flushSoon() {
	s.mu.Lock()
	queued := s.behind.queued
	s.behind.queued = true
	s.mu.Unlock()
	if !queued {
		s.writes.put(write{change: s.flushBehind})
	}
}

// flushBehind adds all that is behind to a transaction.
func (s *Store) flushBehind(t *tx) error {
	s.mu.Lock()
	p := s.behind.turn()
	t.counters.receipts = uint64(s.behind.receipt)
	s.mu.Unlock()
	for key, row := range p.rows {
		if row.value == nil {
			t.batch.Delete([]byte(key))
			continue
		}
		t.batch.Put([]byte(key), row.value)
		if row.end != 0 {
			t.dies(row.end, []byte(key), 0)
		}
	}
	for _, c := range p.states {
		if err := s.flushState(t, c); err != nil {
			return err
		}
	}
	t.committed(func() { s.behind.saving = pages{} })
	return nil
}
