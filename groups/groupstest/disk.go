package groupstest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tom-protocol/tom/groups"
)

// Disk is rows and ratchets in memory.
type Disk struct {
	mu       sync.Mutex
	rows     map[string][]byte
	ratchets map[string][]byte
	saves    int // of ratchets
	applied  int // how often rows were
	writes   int // that are still to come before the fault
	fault    error
}

// NewDisk makes an empty one.
func NewDisk() *Disk { return &Disk{rows: make(map[string][]byte), ratchets: make(map[string][]byte)} }

// SetFault makes every later write fail so; nil: no more.
func (d *Disk) SetFault(err error) { d.SetFaultAfter(0, err) }

// SetFaultAfter makes every write fail so that comes behind so many more.
func (d *Disk) SetFaultAfter(writes int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes, d.fault = writes, err
}

// failed says how a write fails.
func (d *Disk) failed() error {
	if d.fault != nil && d.writes > 0 {
		d.writes--
		return nil
	}
	return d.fault
}

// Saves is how often a ratchet's state was written.
func (d *Disk) Saves() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.saves
}

// Applied is how often rows were written: each time is a wait for the disk.
func (d *Disk) Applied() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.applied
}

// Size is how many rows there are, and their bytes.
func (d *Disk) Size() (rows, size int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for k, v := range d.rows {
		size += len(k) + len(v)
	}
	return len(d.rows), size
}

// Apply deletes and puts rows.
func (d *Disk) Apply(puts []groups.Row, deletes [][]byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.failed(); err != nil {
		return err
	}
	d.applied++
	for _, k := range deletes {
		delete(d.rows, string(k))
	}
	for _, r := range puts {
		d.rows[string(r.Key)] = slices.Concat(r.Head, r.Value)
	}
	return nil
}

// Get reads a row.
func (d *Disk) Get(key []byte) ([]byte, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v, ok := d.rows[string(key)]
	return bytes.Clone(v), ok, nil
}

// Scan calls fn with the rows whose keys begin with prefix, in order.
func (d *Disk) Scan(prefix []byte, fn func(key, value []byte) error) error {
	d.mu.Lock()
	var list []groups.Row
	for k, v := range d.rows {
		if strings.HasPrefix(k, string(prefix)) {
			list = append(list, groups.Row{Key: []byte(k), Value: bytes.Clone(v)})
		}
	}
	d.mu.Unlock()
	slices.SortFunc(list, func(a, b groups.Row) int { return bytes.Compare(a.Key, b.Key) })
	for _, r := range list {
		if err := fn(r.Key, r.Value); err != nil {
			return err
		}
	}
	return nil
}

// Load reads a ratchet's state, nil if there is none.
func (d *Disk) Load(name string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.ratchets[name]), nil
}

// Save writes a ratchet's state.
func (d *Disk) Save(name string, b []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.failed(); err != nil {
		return err
	}
	d.saves++
	d.ratchets[name] = bytes.Clone(b)
	return nil
}

// Remove destroys a ratchet's state.
func (d *Disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.ratchets, name)
	return nil
}

// Shredder keeps contents as they are, and shows none behind its end.
type Shredder struct{}

// ErrEnded is returned for what has ended.
var ErrEnded = errors.New("its key is destroyed")

// Shred seals nothing.
func (Shredder) Shred(_ time.Time, b []byte) ([]byte, error) { return bytes.Clone(b), nil }

// Unshred returns what has not ended.
func (Shredder) Unshred(end time.Time, sealed []byte) ([]byte, error) {
	if !time.Now().Before(end) {
		return nil, ErrEnded
	}
	return bytes.Clone(sealed), nil
}
