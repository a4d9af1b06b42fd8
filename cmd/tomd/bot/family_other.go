//go:build unix && !linux

package bot

import "syscall"

// endWithBot does nothing where the system cannot: a command whose bot was killed
// ends by itself, or not.
func endWithBot(*syscall.SysProcAttr) {}
