package kv

import (
	"bytes"
	"errors"
	"fmt"
	"net"

	"github.com/cockroachdb/pebble/v2"
)

// enter keeps the database open until leave.
func (d *disk) enter() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return net.ErrClosed
	}
	d.users.Add(1)
	return nil
}

func (d *disk) leave() { d.users.Done() }

// Get implements Store.
func (d *disk) Get(key []byte) ([]byte, bool, error) {
	if err := d.enter(); err != nil {
		return nil, false, err
	}
	defer d.leave()
	v, closer, err := d.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, explain(d.dir, err)
	}
	v = bytes.Clone(v)
	return v, true, explain(d.dir, closer.Close())
}

// Scan implements Store.
func (d *disk) Scan(from, to []byte, fn func(k, v []byte) (bool, error)) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.leave()
	o := &pebble.IterOptions{LowerBound: from}
	if len(to) > 0 {
		o.UpperBound = to
	}
	it, err := d.db.NewIter(o)
	if err != nil {
		return explain(d.dir, err)
	}
	err = d.walk(it, fn)
	if closeErr := it.Close(); err == nil {
		err = explain(d.dir, closeErr)
	}
	return err
}

func (d *disk) walk(it *pebble.Iterator, fn func(k, v []byte) (bool, error)) error {
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return explain(d.dir, err)
		}
		if more, err := fn(it.Key(), v); err != nil || !more {
			return err
		}
	}
	return nil
}

// Apply implements Store.
func (d *disk) Apply(b *Batch, sync bool) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.leave()
	d.writing.Lock()
	defer d.writing.Unlock()
	if err := d.fault.get(); err != nil {
		return broken(d.dir, err)
	}
	if err := d.fault.flushing(); err != nil {
		return explain(d.dir, err)
	}
	if err := d.room(b); err != nil {
		return err
	}
	defer d.gate.begin()()
	err := d.commit(b, sync)
	if err != nil {
		d.fault.set(err)
	}
	if err = d.fault.get(); err != nil {
		return broken(d.dir, err)
	}
	return nil
}

// room refuses batches that add rows while the disk is nearly full.
func (d *disk) room(b *Batch) error {
	if !b.writes || d.opts.Reserve < 0 {
		return nil
	}
	usage, err := d.opts.FS.GetDiskUsage(d.dir)
	if err != nil { // some file systems do not say: writing will
		return nil
	}
	if usage.AvailBytes < uint64(d.opts.Reserve)+uint64(b.Bytes()) {
		return explain(d.dir, ErrDiskFull)
	}
	return nil
}

func (d *disk) commit(b *Batch, sync bool) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(r)
		}
	}()
	p := d.db.NewBatchWithSize(b.Bytes() + 64)
	err = b.each(func(o op, first, second []byte) error {
		switch o {
		case opPut:
			return p.Set(first, second, nil)
		case opDelete:
			return p.Delete(first, nil)
		default:
			return p.DeleteRange(first, second, nil)
		}
	})
	if err != nil {
		return err
	}
	if err := p.Commit(&pebble.WriteOptions{Sync: sync}); err != nil {
		return err
	}
	return p.Close()
}

// panicked turns a panic of the database, which is how it reports some failed
// writes, into an error.
func panicked(r any) error {
	if err, ok := r.(error); ok {
		return err
	}
	return fmt.Errorf("%v", r)
}

// Size implements Store.
func (d *disk) Size() int64 {
	if err := d.enter(); err != nil {
		return 0
	}
	defer d.leave()
	return int64(d.db.Metrics().DiskSpaceUsage())
}

// Close implements Store.
func (d *disk) Close() error {
	d.mu.Lock()
	was := d.closed
	d.closed = true
	d.mu.Unlock()
	if was {
		return net.ErrClosed
	}
	d.users.Wait()
	err := d.stop()
	return errors.Join(err, explain(d.dir, d.lock.Close()))
}

func (d *disk) stop() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(r)
		}
	}()
	return explain(d.dir, d.db.Close())
}
