//go:build unix

package child

import (
	"os"
	"syscall"
)

// CanPause says that processes can be paused here.
const CanPause = true

func suspend(p *os.Process, paused bool) error {
	if paused {
		return p.Signal(syscall.SIGSTOP)
	}
	return p.Signal(syscall.SIGCONT)
}
