//go:build unix

package discovery

import (
	"io/fs"
	"os"
	"syscall"
)

// ownedByUser says that a folder is this user's and closed to others.
func ownedByUser(st fs.FileInfo) bool {
	sys, ok := st.Sys().(*syscall.Stat_t)
	return ok && int(sys.Uid) == os.Geteuid() && st.Mode().Perm()&0o077 == 0
}
