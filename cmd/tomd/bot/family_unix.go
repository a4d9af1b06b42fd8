//go:build unix

package bot

import (
	"os/exec"
	"syscall"

	"github.com/tom-protocol/tom/cmd/tomd/child"
)

// family is a command with all processes that it has started: its process group.
type family struct{ group int }

func startFamily(cmd *exec.Cmd) (*family, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	child.EndWithParent(cmd) // a bot that is killed cannot do it
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &family{group: cmd.Process.Pid}, nil
}

// kill ends those that are still there. That none is left is as good.
func (f *family) kill() { _ = syscall.Kill(-f.group, syscall.SIGKILL) }

func (f *family) close() {}
