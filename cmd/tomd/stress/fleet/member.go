package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/child"
	"github.com/tom-protocol/tom/node/localapi"
)

// startTime is how long a daemon may take until it answers; under 150 ms on an
// idle machine.
const startTime = time.Minute

// ErrEnded is what a daemon that nobody has ended is found to be.
var ErrEnded = errors.New("it has ended")

// Member is a daemon, over all its lives. Its methods may be called from any
// goroutine, but those that end and begin a life by one at a time.
type Member struct {
	Name string

	// Client talks to this daemon in each of its lives, as the socket stays.
	Client *localapi.Client

	fleet *Fleet
	args  []string

	mu       sync.Mutex
	identity localapi.Identity
	life     *life // nil before the first
	paused   bool
	usage    Usage
	counters counters
}

// life is one process.
type life struct {
	*child.Daemon
	says tail
	told bool // that it was to end; guarded by Member.mu
}

func newMember(f *Fleet, name string, args []string) (*Member, error) {
	client, err := localapi.NewClient(f.Data(name), "")
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return &Member{Name: name, Client: client, fleet: f, args: args, usage: Usage{Name: name}}, nil
}

// Data is the data directory.
func (m *Member) Data() string { return m.fleet.Data(m.Name) }

// ID is the peer id.
func (m *Member) ID() string { return m.Identity().ID }

// Identity is what it said of itself when it was started the last time.
func (m *Member) Identity() localapi.Identity {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.identity
}

// Alive says that the process runs, and is not paused.
func (m *Member) Alive() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.life != nil && !m.life.Over() && !m.paused
}

// Crashed says that a process has ended that nobody has ended.
func (m *Member) Crashed() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life == nil || !m.life.Over() || m.life.told {
		return nil
	}
	return fmt.Errorf("%s: %w: %s; it says: %s", m.Name, ErrEnded, m.life.State(), m.life.says.String())
}

// launch begins a life.
func (m *Member) launch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	l, cmd := new(life), m.command()
	cmd.Stderr = &l.says
	var err error
	if l.Daemon, err = child.Start(cmd); err != nil {
		return fmt.Errorf("start %s: %w", m.Name, err)
	}
	m.mu.Lock()
	m.life, m.paused = l, false
	m.mu.Unlock()
	id, err := l.Ready(ctx)
	if err != nil {
		m.Kill()
		return fmt.Errorf("start %s: %w; it says: %s", m.Name, err, l.says.String())
	}
	m.mu.Lock()
	m.identity = id
	m.mu.Unlock()
	return nil
}

// command prepares the daemon, in an environment in which it finds nothing of
// the user's.
func (m *Member) command() *exec.Cmd {
	f := m.fleet
	args := []string{"--data", f.Data(m.Name), "start", "--json", "--name", m.Name, "--network", f.network, "--local"}
	cmd := exec.Command(f.executable, slices.Concat(args, f.extra, m.args)...)
	cmd.Env = child.Environ(f.dir)
	child.EndWithParent(cmd)
	return cmd
}

// PID is the process id of the life that is or was the last.
func (m *Member) PID() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.life.Daemon.PID()
}

// end notes that the life is to end now, and gives it; nil if there is none.
func (m *Member) end() *life {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life == nil || m.life.Over() {
		return nil
	}
	m.life.told = true
	m.counters.bank()
	return m.life
}

// Kill ends the process as a power cut would, without a chance to do anything
// (SIGKILL), and returns when it is gone.
func (m *Member) Kill() {
	if l := m.end(); l != nil {
		l.Kill()
	}
}

// Stop ends the daemon in order. One that exits with an error, or has complained,
// is an error.
func (m *Member) Stop(ctx context.Context) error {
	l := m.end()
	if l == nil {
		return nil
	}
	if err := m.Client.Stop(ctx); err != nil && ctx.Err() != nil {
		m.Kill()
		return fmt.Errorf("stop %s: %w", m.Name, ctx.Err())
	}
	select {
	case <-l.Ended():
	case <-ctx.Done():
		l.Kill()
		return fmt.Errorf("stop %s: %w", m.Name, ctx.Err())
	}
	if complaint := l.says.complaint(); !l.State().Success() || complaint != "" {
		return fmt.Errorf("%s ended with %s and says: %s", m.Name, l.State(), complaint)
	}
	return nil
}

// Again begins another life on the same data directory; with args instead of
// those it had, if there are any.
func (m *Member) Again(ctx context.Context, args ...string) error {
	if len(args) > 0 {
		m.args = args
	}
	return m.launch(ctx)
}

// Pause stops the process from running, without a chance to tell anybody, until
// Resume.
func (m *Member) Pause() error { return m.suspend(true, (*child.Daemon).Pause) }

// Resume lets a paused process run again.
func (m *Member) Resume() error { return m.suspend(false, (*child.Daemon).Resume) }

func (m *Member) suspend(paused bool, do func(*child.Daemon) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life == nil || m.life.Over() {
		return ErrEnded
	}
	if err := do(m.life.Daemon); err != nil {
		return err
	}
	m.paused = paused
	return nil
}

// maxTail bounds what is kept of what a daemon says, bytes.
const maxTail = 16 << 10

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - maxTail; over > 0 {
		t.buf = slices.Clone(t.buf[over:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}

// complaint is what it says but for the marks of bad weather that was asked for.
func (t *tail) complaint() string {
	var rest []string
	for line := range strings.Lines(t.String()) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "*** CHAOS ***") {
			rest = append(rest, line)
		}
	}
	return strings.Join(rest, "\n")
}
