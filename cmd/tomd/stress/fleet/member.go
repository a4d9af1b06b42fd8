package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

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
	cmd   *exec.Cmd
	says  tail
	ended chan struct{} // closed when it has
	told  bool          // that it was to end; guarded by Member.mu
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
	return m.life != nil && !m.life.over() && !m.paused
}

func (l *life) over() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// Crashed says that a process has ended that nobody has ended.
func (m *Member) Crashed() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life == nil || !m.life.over() || m.life.told {
		return nil
	}
	return fmt.Errorf("%s: %w: %s; it says: %s", m.Name, ErrEnded, m.life.cmd.ProcessState, m.life.says.String())
}

// launch begins a life.
func (m *Member) launch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	l := &life{cmd: m.command(), ended: make(chan struct{})}
	l.cmd.Stderr = &l.says
	out, err := l.cmd.StdoutPipe()
	if err == nil {
		err = l.cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", m.Name, err)
	}
	m.mu.Lock()
	m.life, m.paused = l, false
	m.mu.Unlock()
	if err := m.await(ctx, l, out); err != nil {
		m.Kill()
		return fmt.Errorf("start %s: %w; it says: %s", m.Name, err, l.says.String())
	}
	return nil
}

// command prepares the daemon, in an environment in which it finds nothing of
// the user's.
func (m *Member) command() *exec.Cmd {
	f := m.fleet
	args := []string{"--data", f.Data(m.Name), "start", "--json", "--name", m.Name, "--network", f.network, "--local"}
	cmd := exec.Command(f.executable, slices.Concat(args, f.extra, m.args)...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "TOM_") || strings.HasPrefix(v, "XDG_") || strings.HasPrefix(v, "HOME=")
	})
	cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+f.dir, "HOME="+f.dir)
	endWithParent(cmd)
	return cmd
}

// await reads the line a daemon prints when its socket listens, and goes on
// reading so that the daemon never has to wait.
func (m *Member) await(ctx context.Context, l *life, out io.Reader) error {
	said := make(chan error, 1)
	var id localapi.Identity
	go func() {
		defer close(l.ended)
		said <- json.NewDecoder(out).Decode(&id)
		_, _ = io.Copy(io.Discard, out)
		_ = l.cmd.Wait()
	}()
	select {
	case err := <-said:
		if err != nil {
			return fmt.Errorf("it ended before it listened: %w", err)
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	m.mu.Lock()
	m.identity = id
	m.mu.Unlock()
	return nil
}

// PID is the process id of the life that is or was the last.
func (m *Member) PID() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.life.cmd.Process.Pid
}

// end notes that the life is to end now, and gives it; nil if there is none.
func (m *Member) end() *life {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life == nil || m.life.over() {
		return nil
	}
	m.life.told = true
	m.counters.bank()
	return m.life
}

// Kill ends the process as a power cut would, without a chance to do anything
// (SIGKILL), and returns when it is gone.
func (m *Member) Kill() {
	l := m.end()
	if l == nil {
		return
	}
	_ = l.cmd.Process.Kill() // gone already is as good
	<-l.ended
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
	case <-l.ended:
	case <-ctx.Done():
		_ = l.cmd.Process.Kill()
		<-l.ended
		return fmt.Errorf("stop %s: %w", m.Name, ctx.Err())
	}
	if complaint := l.says.complaint(); !l.cmd.ProcessState.Success() || complaint != "" {
		return fmt.Errorf("%s ended with %s and says: %s", m.Name, l.cmd.ProcessState, complaint)
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
func (m *Member) Pause() error { return m.suspend(true) }

// Resume lets a paused process run again.
func (m *Member) Resume() error { return m.suspend(false) }

func (m *Member) suspend(paused bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life == nil || m.life.over() {
		return ErrEnded
	}
	if err := suspend(m.life.cmd.Process, paused); err != nil {
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
