//go:build !linux

package fleet

import "os/exec"

// endWithParent can do nothing where the kernel does not offer it: there a
// program that panics may leave daemons behind.
func endWithParent(*exec.Cmd) {}
