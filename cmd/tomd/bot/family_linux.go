package bot

import "syscall"

// endWithBot has the command killed when the bot is, who then cannot do it.
func endWithBot(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
