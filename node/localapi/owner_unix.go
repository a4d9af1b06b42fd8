//go:build unix

package localapi

import (
	"io/fs"
	"os"
	"syscall"
)

// ownedByUs says that a file belongs to the user of this process.
func ownedByUs(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}
