package store

import (
	"sync"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// Bounds of the tables about peers, in rows. A full table forgets one of its
// oldest rows.
const (
	maxWritten    = 16384
	maxPrekeys    = 4096
	maxAdmissions = 4096
)

// peerTable is a bounded table with a row for each peer, written behind. The
// time of each row, which begins it, is kept in memory.
type peerTable struct {
	s     *Store
	table byte
	limit int
	keep  func(protocols.Key) bool // whose rows leave a full table last; nil: nobody's

	mu    sync.Mutex // before Store.mu
	times map[protocols.Key]time.Time
}

func newPeerTable(s *Store, table byte, limit int) *peerTable {
	return &peerTable{s: s, table: table, limit: limit, times: make(map[protocols.Key]time.Time)}
}

func (p *peerTable) load() error {
	from, to := table(p.table)
	return p.s.kv.Scan(from, to, func(key, row []byte) (bool, error) {
		u := unpacker{b: row}
		p.times[protocols.Key(key[1:])] = u.time()
		return true, u.err
	})
}

// put writes a row behind.
func (p *peerTable) put(k protocols.Key, at time.Time, value []byte) {
	p.mu.Lock()
	p.place(k, at)
	p.s.mu.Lock()
	p.s.behind.putRow(peerKey(p.table, k), append(appendTime(nil, at), value...), 0)
	p.s.mu.Unlock()
	p.mu.Unlock()
	p.s.flushSoon()
}

// place makes room for a row; mu is held.
func (p *peerTable) place(k protocols.Key, at time.Time) {
	if _, ok := p.times[k]; !ok && len(p.times) >= p.limit {
		p.drop(p.oldish())
	}
	p.times[k] = at
}

// oldish is the oldest of some rows, of those not to keep if there are any; mu is
// held.
func (p *peerTable) oldish() (oldest protocols.Key) {
	const sample = 16
	n, keepOldest := 0, false
	for k, at := range p.times {
		keep := p.keep != nil && p.keep(k)
		if n == 0 || keepOldest && !keep || keep == keepOldest && at.Before(p.times[oldest]) {
			oldest, keepOldest = k, keep
		}
		if n++; n == sample {
			break
		}
	}
	return oldest
}

// drop deletes a row, behind; mu is held.
func (p *peerTable) drop(k protocols.Key) {
	delete(p.times, k)
	p.s.mu.Lock()
	p.s.behind.putRow(peerKey(p.table, k), nil, 0)
	p.s.mu.Unlock()
}

func (p *peerTable) has(k protocols.Key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.times[k]
	return ok
}

func (p *peerTable) get(k protocols.Key) (at time.Time, value []byte, ok bool, err error) {
	if !p.has(k) {
		return time.Time{}, nil, false, nil
	}
	row, ok, err := p.s.rowOf(peerKey(p.table, k))
	if err != nil || !ok {
		return time.Time{}, nil, false, err
	}
	u := unpacker{b: row}
	at = u.time()
	return at, u.b, u.err == nil, u.err
}

// expire drops the rows whose time is before the given one.
func (p *peerTable) expire(before time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, at := range p.times {
		if at.Before(before) {
			p.drop(k)
		}
	}
}
