package child

import (
	"os/exec"
	"syscall"
)

// EndWithParent has the kernel kill the process when this one ends, however it
// ends. The kernel means the thread that started it; Go ends threads only with
// goroutines locked to them, of which there are none here.
func EndWithParent(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
