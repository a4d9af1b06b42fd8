// Package child runs tomd start as a child process: for the stress tool, and for
// the tests of the whole program.
package child

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/tom-protocol/tom/node/localapi"
)

// Daemon is a process of tomd start. Its methods may be called from any goroutine.
type Daemon struct {
	cmd   *exec.Cmd
	ended chan struct{}
	said  chan error        // whether it has said who it is
	id    localapi.Identity // as it said; before that it must not be read
}

// Start starts what cmd prepares: tomd start --json. [Daemon.Ready] tells when it
// listens.
func Start(cmd *exec.Cmd) (*Daemon, error) {
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	d := &Daemon{cmd: cmd, ended: make(chan struct{}), said: make(chan error, 1)}
	go d.hear(out)
	return d, nil
}

// hear reads the line a daemon prints when its socket listens, and goes on
// reading so that the daemon never has to wait.
func (d *Daemon) hear(out io.Reader) {
	defer close(d.ended)
	d.said <- json.NewDecoder(out).Decode(&d.id)
	_, _ = io.Copy(io.Discard, out)
	_ = d.cmd.Wait()
}

// Ready returns when the daemon's socket listens, and what it has said of itself.
// It is called once.
func (d *Daemon) Ready(ctx context.Context) (localapi.Identity, error) {
	select {
	case err := <-d.said:
		if err != nil {
			return localapi.Identity{}, fmt.Errorf("it ended before it listened: %w", err)
		}
		return d.id, nil
	case <-ctx.Done():
		return localapi.Identity{}, ctx.Err()
	}
}

// PID is the process's id.
func (d *Daemon) PID() int { return d.cmd.Process.Pid }

// Ended is closed when the process is gone. What it wrote is whole then.
func (d *Daemon) Ended() <-chan struct{} { return d.ended }

// Over says that the process is gone.
func (d *Daemon) Over() bool {
	select {
	case <-d.ended:
		return true
	default:
		return false
	}
}

// State is how the process ended, once it is over.
func (d *Daemon) State() *os.ProcessState {
	<-d.ended
	return d.cmd.ProcessState
}

// Kill ends the process as a power cut would, without a chance to do anything
// (SIGKILL), and returns when it is gone.
func (d *Daemon) Kill() {
	_ = d.cmd.Process.Kill() // gone already is as good
	<-d.ended
}

// Signal sends the process a signal.
func (d *Daemon) Signal(s os.Signal) error { return d.cmd.Process.Signal(s) }

// Pause stops the process where it is, without a chance to tell anybody, as a
// laptop that is closed (SIGSTOP).
func (d *Daemon) Pause() error { return suspend(d.cmd.Process, true) }

// Resume lets it go on.
func (d *Daemon) Resume() error { return suspend(d.cmd.Process, false) }

// Environ is an environment in which tomd finds nothing of the user's: what it
// looks for is in dir.
func Environ(dir string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "TOM_") || strings.HasPrefix(v, "XDG_") || strings.HasPrefix(v, "HOME=")
	})
	return append(env, "XDG_RUNTIME_DIR="+dir, "HOME="+dir)
}
