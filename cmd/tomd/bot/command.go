package bot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// What a command may take, and say.
const (
	commandTime   = 30 * time.Second
	maxOutput     = 64 << 10
	maxComplaint  = 1 << 10         // of its standard error, kept for the report
	lingeringTime = 2 * time.Second // until its pipes are closed, once all its processes were killed
)

// Command is a program that says what to answer, with its arguments. No shell is
// involved: what others write never becomes part of a command line.
type Command []string

// LookUp finds the program.
func (c Command) LookUp() (Command, error) {
	path, err := exec.LookPath(c[0])
	if err == nil {
		return append(Command{path}, c[1:]...), nil
	}
	if strings.ContainsRune(c[0], ' ') {
		words := strings.Fields(c[0])
		return nil, fmt.Errorf("there is no program %q: arguments go behind --, as in --exec %s -- %s", c[0], words[0], strings.Join(words[1:], " "))
	}
	return nil, fmt.Errorf("there is no program %q that can be run: %w", c[0], errors.Unwrap(err))
}

// errKept says why there is no answer although a command was run.
type errKept struct{ reason string }

func (e *errKept) Error() string { return e.reason }

func keptf(format string, args ...any) error { return &errKept{fmt.Sprintf(format, args...)} }

// run gives input to the command and returns what it says. Its processes end with
// it: those that it leaves behind are killed.
func (c Command) run(ctx context.Context, limit time.Duration, env []string, input []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, keptf("it took longer than %s, and was killed", limit))
	defer cancel()
	out, complaint := &ear{max: maxOutput, full: cancel}, &ear{max: maxComplaint}
	cmd := exec.Command(c[0], c[1:]...)
	cmd.Env = append(os.Environ(), env...)
	family, err := c.start(cmd, out, complaint, input)
	if err != nil {
		return nil, keptf("it cannot be started: %v", err)
	}
	defer family.close()
	stop := context.AfterFunc(ctx, family.kill)
	err = cmd.Wait()
	family.kill()
	stop()
	out.finish()
	complaint.finish()
	switch {
	case out.over:
		return nil, keptf("it says more than %d KiB, and was killed", maxOutput>>10)
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, keptf("it failed: %v%s", err, complaint.line())
	}
	return out.bytes, nil
}

// start starts the command with its input, and with who listens to it. Waiting for
// it then waits for the program alone, not for what it may leave behind.
func (c Command) start(cmd *exec.Cmd, out, complaint *ear, input []byte) (*family, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if cmd.Stdout, err = out.open(); err != nil {
		return nil, err
	}
	defer out.away.Close()
	if cmd.Stderr, err = complaint.open(); err != nil {
		out.finish()
		return nil, err
	}
	defer complaint.away.Close()
	f, err := startFamily(cmd)
	if err != nil {
		out.away.Close()
		complaint.away.Close()
		out.finish()
		complaint.finish()
		return nil, err
	}
	go func() { // ends with the program, which Wait closes the pipe after
		_, _ = in.Write(input)
		_ = in.Close()
	}()
	return f, nil
}

// ear takes in what a command says: the first max bytes; full is called when there
// are more.
type ear struct {
	max  int
	full func()

	here, away *os.File // the ends of its pipe
	done       chan struct{}
	bytes      []byte // this and the next: once finish has returned
	over       bool
}

// open returns the end that the command writes to.
func (e *ear) open() (*os.File, error) {
	var err error
	if e.here, e.away, err = os.Pipe(); err != nil {
		return nil, err
	}
	e.done = make(chan struct{})
	go func() {
		defer close(e.done)
		_, _ = io.Copy(e, e.here)
	}()
	return e.away, nil
}

// finish waits until all is said, but not long: everybody who could speak is dead.
func (e *ear) finish() {
	late := time.AfterFunc(lingeringTime, func() { e.here.Close() })
	defer late.Stop()
	<-e.done
	e.here.Close()
}

// Write keeps what fits, and takes the rest too: who writes must not hang.
func (e *ear) Write(p []byte) (int, error) {
	n := min(len(p), e.max-len(e.bytes))
	e.bytes = append(e.bytes, p[:n]...)
	if n < len(p) && !e.over {
		e.over = true
		if e.full != nil {
			e.full()
		}
	}
	return len(p), nil
}

// line is the last line, behind a colon; empty if there is none.
func (e *ear) line() string {
	text := strings.TrimSpace(string(e.bytes))
	if text == "" {
		return ""
	}
	return ": " + text[strings.LastIndexByte(text, '\n')+1:]
}
