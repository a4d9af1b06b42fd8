package fleet

import (
	"os/exec"
	"syscall"
)

// endWithParent has the kernel kill the process when this one ends, however it
// ends. The kernel means the thread that started it; Go ends threads only with
// goroutines locked to them, of which there are none here.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
