package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/child"
	"github.com/tom-protocol/tom/node/localapi"
)

// Daemon is a running tomd start. Its methods may be called from any goroutine.
type Daemon struct {
	Name    string
	Started time.Time
	Ready   time.Duration // from the start to the answer of its socket

	// Identity is what it said of itself when it was ready.
	localapi.Identity

	// Client talks to this daemon and, as the socket stays, to those after it.
	Client *localapi.Client

	on     *Machine
	args   []string
	child  *child.Daemon
	stderr bytes.Buffer // whole once it has ended
	stop   sync.Once
}

// startTime is how long a daemon may take until it answers; under 150 ms on an
// idle machine.
const startTime = time.Minute

// Start runs a daemon with a data directory of that name, which is made if it
// is not there, and returns once its socket answers. It stays on this machine,
// unless args say where it listens.
func (m *Machine) Start(ctx context.Context, name string, args ...string) (*Daemon, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	d := &Daemon{Name: name, Started: time.Now(), on: m, args: args}
	var err error
	if d.Client, err = localapi.NewClient(m.Data(name), ""); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := m.launch(d, m.daemon(name, args)); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := d.await(ctx); err != nil {
		d.Kill()
		return nil, fmt.Errorf("start %s: %w; it says: %s", name, err, strings.TrimSpace(d.Stderr()))
	}
	d.Ready = time.Since(d.Started)
	return d, nil
}

// launch starts the process and puts it on the list of those to be killed.
func (m *Machine) launch(d *Daemon, cmd *exec.Cmd) (err error) {
	cmd.Stderr = &d.stderr
	m.mu.Lock()
	defer m.mu.Unlock()
	if d.child, err = child.Start(cmd); err != nil {
		return err
	}
	m.daemons = append(m.daemons, d)
	return nil
}

// await waits until the daemon says that its socket listens, and asks the socket
// who it is.
func (d *Daemon) await(ctx context.Context) (err error) {
	if d.Identity, err = d.child.Ready(ctx); err != nil {
		return err
	}
	id, err := d.Client.Identity(ctx)
	if err == nil && id.ID != d.ID {
		err = errors.New("another daemon answers on its socket")
	}
	return err
}

// over lets go of a daemon that has ended.
func (d *Daemon) over() {
	d.stop.Do(func() {
		d.Client.Close()
		d.on.mu.Lock()
		defer d.on.mu.Unlock()
		d.on.daemons = slices.DeleteFunc(d.on.daemons, func(other *Daemon) bool { return other == d })
	})
}

// PID is the process's id.
func (d *Daemon) PID() int { return d.child.PID() }

// Kill ends the process as a power cut would, without a chance to do anything
// (SIGKILL), and returns when it is gone.
func (d *Daemon) Kill() {
	d.child.Kill()
	d.over()
}

// Pause stops the process where it is, as a laptop that is closed (SIGSTOP).
func (d *Daemon) Pause() error { return d.child.Pause() }

// Resume lets it go on.
func (d *Daemon) Resume() error { return d.child.Resume() }

// Stop ends the daemon by tomd stop. One that exits with an error or has
// complained is an error.
func (d *Daemon) Stop(ctx context.Context) error {
	_, err := d.on.Output(ctx, d.Name, "stop")
	if err != nil {
		return d.hangs(err)
	}
	select {
	case <-d.child.Ended():
	case <-ctx.Done():
		return d.hangs(fmt.Errorf("stop %s: %w", d.Name, ctx.Err()))
	}
	d.over()
	warned := slices.Contains(d.args, "--chaos") // and says so
	if !d.child.State().Success() || d.stderr.Len() > 0 && !warned {
		return fmt.Errorf("%s ended with %s and says: %s", d.Name, d.child.State(), d.Stderr())
	}
	return nil
}

// hangs ends a daemon that would not stop, and adds to err what it was at.
func (d *Daemon) hangs(err error) error {
	if d.child.Signal(syscall.SIGQUIT) == nil { // it prints its goroutines and exits
		select {
		case <-d.child.Ended():
		case <-time.After(5 * time.Second):
		}
	}
	d.Kill()
	return fmt.Errorf("%w; it says:\n%s", err, d.Stderr())
}

// Stderr is what it wrote there, empty while it runs.
func (d *Daemon) Stderr() string {
	if !d.child.Over() {
		return ""
	}
	return d.stderr.String()
}

// Again starts a daemon that has ended on the same data directory, with the
// same arguments.
func (d *Daemon) Again(ctx context.Context) (*Daemon, error) {
	return d.on.Start(ctx, d.Name, d.args...)
}

// Run runs a command for the daemon's directory, as [Machine.Run] does.
func (d *Daemon) Run(ctx context.Context, args ...string) (Result, error) {
	return d.on.Run(ctx, d.Name, "", args...)
}

// Output is [Machine.Output] for the daemon's directory.
func (d *Daemon) Output(ctx context.Context, args ...string) (string, error) {
	return d.on.Output(ctx, d.Name, args...)
}

// JSON is [Machine.JSON] for the daemon's directory.
func (d *Daemon) JSON(ctx context.Context, into any, args ...string) error {
	return d.on.JSON(ctx, into, d.Name, args...)
}
