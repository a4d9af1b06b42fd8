package proc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/child"
)

// Machine is where some daemons live, each in a data directory of its own. Its
// methods may be called from any goroutine.
type Machine struct {
	Binary string
	// Network is that of the daemons; no two machines have the same unless they
	// are made so.
	Network string
	// Namespace, if not empty, is the network namespace its daemons run in
	// (Linux, as root). There they do not keep to loopback.
	Namespace string

	dir string

	mu      sync.Mutex
	daemons []*Daemon
}

// NewMachine makes an empty machine. It builds tomd unless that is done.
func NewMachine() (*Machine, error) {
	binary, err := Build(nil)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tom-") // short: sockets lie below it
	if err != nil {
		return nil, fmt.Errorf("make directory for data: %w", err)
	}
	network := strings.ToLower(filepath.Base(dir))
	return &Machine{Binary: binary, Network: network, dir: dir}, nil
}

// Data is the data directory of the daemon of that name.
func (m *Machine) Data(name string) string { return filepath.Join(m.dir, name) }

// Close kills what still runs, and removes all data.
func (m *Machine) Close() error {
	m.mu.Lock()
	daemons := slices.Clone(m.daemons)
	m.mu.Unlock()
	for _, d := range daemons {
		d.Kill()
	}
	return os.RemoveAll(m.dir)
}

// Result is what a command printed, and its exit code.
type Result struct {
	Out, Err string
	Code     int
}

// commandTime is how long a command may take if ctx does not say.
const commandTime = 2 * time.Minute

// Run runs tomd for a data directory to its end. The error is about running it,
// not about what it exits with.
func (m *Machine) Run(ctx context.Context, name, stdin string, args ...string) (Result, error) {
	if _, told := ctx.Deadline(); !told {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, commandTime)
		defer cancel()
	}
	cmd := m.command(ctx, name, args)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return Result{}, fmt.Errorf("run tomd %s: %w", strings.Join(args, " "), err)
	}
	if ctx.Err() != nil {
		return Result{}, fmt.Errorf("run tomd %s: %w", strings.Join(args, " "), ctx.Err())
	}
	return Result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}, nil
}

// Output runs a command that must exit with 0, and gives what it printed.
func (m *Machine) Output(ctx context.Context, name string, args ...string) (string, error) {
	r, err := m.Run(ctx, name, "", args...)
	if err != nil {
		return "", err
	}
	if r.Code != 0 {
		return "", fmt.Errorf("tomd %s of %s exits with %d: %s", strings.Join(args, " "), name, r.Code, strings.TrimSpace(r.Err))
	}
	return r.Out, nil
}

// JSON runs a command with --json that must exit with 0 and print one object.
func (m *Machine) JSON(ctx context.Context, into any, name string, args ...string) error {
	out, err := m.Output(ctx, name, append([]string{"--json"}, args...)...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		return fmt.Errorf("tomd %s of %s prints %q: %w", strings.Join(args, " "), name, out, err)
	}
	return nil
}

// command prepares tomd for a data directory, with an environment in which it
// finds nothing of the user's.
func (m *Machine) command(ctx context.Context, name string, args []string) *exec.Cmd {
	return m.program(ctx, append([]string{m.Binary, "--data", m.Data(name)}, args...))
}

// Command prepares tomd for a data directory, for who runs it in the background. It
// ends with ctx.
func (m *Machine) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return m.command(ctx, name, args)
}

// daemon prepares tomd start.
func (m *Machine) daemon(name string, args []string) *exec.Cmd {
	line := []string{m.Binary, "--data", m.Data(name), "start", "--json", "--name", name, "--network", m.Network}
	if m.Namespace == "" {
		line = append(line, "--local")
	} else {
		line = append([]string{"ip", "netns", "exec", m.Namespace}, line...) // becomes tomd: the same process
	}
	return m.program(context.Background(), append(line, args...))
}

func (m *Machine) program(ctx context.Context, line []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Env = child.Environ(m.dir)
	child.EndWithParent(cmd)
	return cmd
}
