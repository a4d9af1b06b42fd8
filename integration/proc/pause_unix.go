//go:build unix

package proc

import "syscall"

// Pause stops the process where it is, as a laptop that is closed (SIGSTOP).
func (d *Daemon) Pause() error { return d.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume lets it go on.
func (d *Daemon) Resume() error { return d.cmd.Process.Signal(syscall.SIGCONT) }
