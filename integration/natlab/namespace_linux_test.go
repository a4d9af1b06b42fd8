package natlab

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// prefix begins the names of all namespaces of this process.
var prefix = fmt.Sprintf("tomd-nat-%d-", os.Getpid())

// within runs f in a thread that is in the namespace. What f opens stays there.
//
// The thread goes back and lives on: daemons die with the thread that started
// them, and that may have been this one.
func within(namespace string, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	there, err := os.Open("/run/netns/" + namespace)
	if err != nil {
		return err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter %s: %w", namespace, err)
	}
	err = f()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		panic(back) // others would find themselves in there
	}
	return err
}

// command runs a program with that for input, and returns what it printed.
func command(input, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s\n%s", name, strings.Join(args, " "), err, out, input)
	}
	return string(out), nil
}

// undertaker is a process that removes this one's namespaces when this one has
// ended, however it did: the pipe to it closes.
var undertaker struct {
	start sync.Once
	cmd   *exec.Cmd
	pipe  *os.File
	err   error
}

const bury = `cat; for n in /run/netns/"$1"*; do [ ! -e "$n" ] || ip netns delete "${n##*/}"; done`

func hireUndertaker() error {
	u := &undertaker
	u.start.Do(func() {
		r, w, err := os.Pipe()
		if err != nil {
			u.err = err
			return
		}
		defer r.Close()
		u.cmd, u.pipe = exec.Command("sh", "-c", bury, "undertaker", prefix), w
		u.cmd.Stdin = r
		u.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // outlives an interrupt from the terminal
		u.err = u.cmd.Start()
	})
	return u.err
}

// dismissUndertaker returns when all is removed.
func dismissUndertaker() error {
	if undertaker.pipe == nil || undertaker.err != nil {
		return undertaker.err
	}
	_ = undertaker.pipe.Close()
	return undertaker.cmd.Wait()
}
