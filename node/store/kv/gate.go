package kv

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// gate is the file system as the database sees it. Pebble ends the process when
// a write to its log or its list of files fails, from Go's runtime if need be (a
// deferred unlock during a panic), so it must never see such a failure. The
// first one shuts the gate: it is remembered, and from then on nothing changes
// on the disk any more while the database believes that it does. That leaves on
// disk what a power failure at that moment would have left, and Apply confirms
// nothing once the gate is shut.
//
// Tables are different: to write one may fail, because its rows are still in the
// log, and Pebble tries it again, which the gate slows down. Only when Open or an
// Apply has waited for that too long the gate shuts, and lets it through.
type gate struct {
	vfs.FS
	fault    *fault
	patience time.Duration
	void     vfs.FS       // takes what is written after the gate is shut
	applying atomic.Int64 // when what waits began, in ns of the epoch; 0 if nothing does
}

func newGate(fs vfs.FS, f *fault, patience time.Duration) *gate {
	return &gate{FS: fs, fault: f, patience: patience, void: vfs.NewMem()}
}

// begin notes that somebody waits until the function it returns is called.
func (g *gate) begin() (end func()) {
	g.applying.Store(time.Now().UnixNano())
	return func() { g.applying.Store(0) }
}

// stuck says that somebody waits for too long.
func (g *gate) stuck() bool {
	began := g.applying.Load()
	return began != 0 && time.Since(time.Unix(0, began)) > g.patience
}

// retriesPerPatience is how often a table is tried while somebody waits.
const retriesPerPatience = 50

func isTable(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".sst" || ext == ".blob"
}

// do changes the disk, unless the gate is shut, and shuts it if that fails.
func (g *gate) do(name string, change func() error) error {
	if isTable(name) {
		return g.doTable(change)
	}
	if g.fault.get() != nil {
		return nil
	}
	if err := change(); err != nil {
		g.fault.set(err)
	}
	return nil
}

func (g *gate) doTable(change func() error) error {
	err := g.fault.get()
	if err == nil {
		if err = change(); err == nil {
			return nil
		}
	}
	g.fault.tableFailed(err)
	if g.stuck() {
		g.fault.set(err)
		return nil
	}
	time.Sleep(g.patience / retriesPerPatience)
	return err
}

// open is do for calls that return a file. Where there is none the database
// gets one in the void.
func (g *gate) open(name string, open func() (vfs.File, error)) (vfs.File, error) {
	var f vfs.File
	err := g.do(name, func() (err error) { f, err = open(); return err })
	if err != nil {
		return nil, err
	}
	if f == nil {
		return g.void.Create("void", vfs.WriteCategoryUnspecified)
	}
	return &gatedFile{File: f, gate: g, name: name}, nil
}

// Create implements vfs.FS.
func (g *gate) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return g.open(name, func() (vfs.File, error) { return g.FS.Create(name, c) })
}

// OpenReadWrite implements vfs.FS.
func (g *gate) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return g.open(name, func() (vfs.File, error) { return g.FS.OpenReadWrite(name, c, o...) })
}

// ReuseForWrite implements vfs.FS.
func (g *gate) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return g.open(to, func() (vfs.File, error) { return g.FS.ReuseForWrite(from, to, c) })
}

// OpenDir implements vfs.FS: directories are opened to be synced.
func (g *gate) OpenDir(name string) (vfs.File, error) {
	f, err := g.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &gatedFile{File: f, gate: g, name: name}, nil
}

// Link implements vfs.FS.
func (g *gate) Link(from, to string) error {
	return g.do(to, func() error { return g.FS.Link(from, to) })
}

// Rename implements vfs.FS.
func (g *gate) Rename(from, to string) error {
	return g.do(to, func() error { return g.FS.Rename(from, to) })
}

// Remove implements vfs.FS. A file that stays is only a waste.
func (g *gate) Remove(name string) error {
	if g.fault.get() != nil {
		return nil
	}
	return g.FS.Remove(name)
}

// RemoveAll implements vfs.FS.
func (g *gate) RemoveAll(name string) error {
	if g.fault.get() != nil {
		return nil
	}
	return g.FS.RemoveAll(name)
}

// MkdirAll implements vfs.FS.
func (g *gate) MkdirAll(name string, perm os.FileMode) error {
	return g.do(name, func() error { return g.FS.MkdirAll(name, perm) })
}

// Unwrap implements vfs.FS.
func (g *gate) Unwrap() vfs.FS { return g.FS }

// gatedFile is an open file behind the gate.
type gatedFile struct {
	vfs.File
	gate *gate
	name string
}

// Write implements vfs.File.
func (f *gatedFile) Write(p []byte) (int, error) {
	err := f.gate.do(f.name, func() error { _, err := f.File.Write(p); return err })
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteAt implements vfs.File.
func (f *gatedFile) WriteAt(p []byte, at int64) (int, error) {
	err := f.gate.do(f.name, func() error { _, err := f.File.WriteAt(p, at); return err })
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// Preallocate implements vfs.File.
func (f *gatedFile) Preallocate(at, length int64) error {
	return f.gate.do(f.name, func() error { return f.File.Preallocate(at, length) })
}

// Sync implements vfs.File.
func (f *gatedFile) Sync() error { return f.gate.do(f.name, f.File.Sync) }

// SyncData implements vfs.File.
func (f *gatedFile) SyncData() error { return f.gate.do(f.name, f.File.SyncData) }

// SyncTo implements vfs.File.
func (f *gatedFile) SyncTo(length int64) (full bool, err error) {
	err = f.gate.do(f.name, func() (err error) { full, err = f.File.SyncTo(length); return err })
	return full, err
}

// Close implements vfs.File.
func (f *gatedFile) Close() error {
	err := f.File.Close()
	if err != nil && f.gate.fault.get() != nil {
		return nil
	}
	return err
}
