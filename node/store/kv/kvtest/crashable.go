// Package kvtest has what the tests of stores share.
package kvtest

import "github.com/cockroachdb/pebble/v2/vfs"

// Crashable is a file system in memory that can be cloned as a power cut would
// leave it, at any moment. The library's own waits for itself for ever when a
// clone is taken while a file is reused: there it locks twice what a clone waits for.
type Crashable struct{ *vfs.MemFS }

// NewCrashable makes an empty one.
func NewCrashable() Crashable { return Crashable{vfs.NewCrashableMem()} }

// ReuseForWrite renames a file and opens it for writing.
func (c Crashable) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := c.Rename(from, to); err != nil {
		return nil, err
	}
	return c.OpenReadWrite(to, category)
}
