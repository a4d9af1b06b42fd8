package kv

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options say how much memory and disk a store on disk may use. The zero value
// is meant for a device that runs many other things.
type Options struct {
	// Cache is the memory for blocks read from disk, in bytes; 8 MiB if zero.
	Cache int64
	// Memtable is the memory for rows not yet in a table, in bytes, taken twice
	// under load; 32 MiB if zero, reached by doubling. A larger one writes fewer rows twice.
	Memtable uint64
	// OpenFiles is the number of tables kept open; 64 if zero.
	OpenFiles int
	// Reserve is the free space of the disk, in bytes, that batches with a Put
	// leave alone: they are refused with ErrDiskFull while less is free, so that
	// a full disk is a condition that passes; 16 MiB if zero, none if negative.
	Reserve int64
	// Patience is how long Open or an Apply waits for tables that cannot be
	// written before it gives up, an Apply with ErrFailed; 5 s if zero.
	Patience time.Duration
	// FS is the file system; the operating system's if nil. Tests give their own.
	FS vfs.FS
}

const (
	defaultCache     = 8 << 20
	defaultMemtable  = 32 << 20
	defaultOpenFiles = 64
	defaultReserve   = 16 << 20
	defaultPatience  = 5 * time.Second

	// format is the newest file format that this version writes. It is fixed
	// here, so that a newer library does not make directories that the version
	// before cannot read.
	format = pebble.FormatValueSeparation
)

func (o Options) withDefaults() Options {
	if o.Cache == 0 {
		o.Cache = defaultCache
	}
	if o.Memtable == 0 {
		o.Memtable = defaultMemtable
	}
	if o.OpenFiles == 0 {
		o.OpenFiles = defaultOpenFiles
	}
	if o.Reserve == 0 {
		o.Reserve = defaultReserve
	}
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	return o
}

func (o Options) pebble(g *gate) *pebble.Options {
	p := &pebble.Options{
		FS:                          g,
		FormatMajorVersion:          format,
		CacheSize:                   o.Cache,
		MemTableSize:                o.Memtable,
		MaxOpenFiles:                o.OpenFiles,
		MemTableStopWritesThreshold: 3,
		L0StopWritesThreshold:       40,
		LBaseMaxBytes:               32 << 20,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 1 },
		DisableTableStats:           true,
		Logger:                      g.fault,
		EventListener:               g.fault.listener(),
	}
	p.Experimental.FileCacheShards = 1
	p.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone })
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return p
}

// disk is a Store in a directory.
type disk struct {
	dir     string
	opts    Options
	db      *pebble.DB
	lock    io.Closer
	fault   fault
	gate    *gate
	writing sync.Mutex // one Apply at a time: a failed write must be the last
	users   sync.WaitGroup
	mu      sync.Mutex
	closed  bool // guarded by mu; no user enters afterwards
}

// Open opens the store in the directory dir, which it makes at need, readable
// by its user only. Errors match ErrLocked, ErrNewer, ErrCorrupt or ErrDiskFull
// where they apply and say what to do.
func Open(dir string, o Options) (Store, error) {
	d := &disk{dir: dir, opts: o.withDefaults()}
	if err := d.opts.FS.MkdirAll(dir, 0o700); err != nil {
		return nil, explain(dir, err)
	}
	lock, err := pebble.LockDirectory(dir, d.opts.FS)
	if err != nil {
		return nil, lockError(dir, err)
	}
	if err = d.start(lock); err != nil && d.unborn() {
		err = d.start(lock)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return d, nil
}

func lockError(dir string, err error) error {
	if file := new(os.PathError); errors.As(err, &file) || errors.Is(err, syscall.ENOSPC) {
		return explain(dir, err)
	}
	return fmt.Errorf("%w: another process has %s open; stop it first or use another directory", ErrLocked, dir)
}

func (d *disk) start(lock *pebble.Lock) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = explain(d.dir, panicked(r))
		}
	}()
	d.fault = fault{}
	d.gate = newGate(d.opts.FS, &d.fault, d.opts.Patience)
	p := d.opts.pebble(d.gate)
	p.Lock = lock
	done := d.gate.begin() // opening flushes what is in the log, and would wait for ever
	db, err := pebble.Open(d.dir, p)
	done()
	if failed := d.fault.get(); failed != nil {
		if err == nil {
			_ = db.Close()
		}
		err = failed
	}
	if err != nil {
		return openError(d.dir, err)
	}
	d.db, d.lock = db, lock
	return nil
}

func openError(dir string, err error) error {
	text := err.Error()
	if strings.Contains(text, "format major version") && strings.Contains(text, "written by") ||
		strings.Contains(text, "unknown format major version") {
		return fmt.Errorf("%w: %s was written by it; install that version again", ErrNewer, dir)
	}
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return explain(dir, err)
}
